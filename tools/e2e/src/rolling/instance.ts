// One instance of what is replaced under load, in a process of its own.
import { serviceKeyFrom, staticKeys } from '@talaria/auth';
import { createService, sleep, untilLeaving } from '@talaria/service';
import { RollingDefinition } from './contract.ts';

const { etcd, privateKey, publicKeys } = JSON.parse(process.argv[2] ?? '{}') as { etcd: string; privateKey: Record<string, unknown>; publicKeys: Record<string, unknown>[] };

const service = createService({
  name: 'service.rolling',
  description: 'An instance that is replaced',
  version: '1.0.0',
  platform: {
    env: { ...process.env, ETCD_ENDPOINTS: etcd, LOG_LEVEL: 'warn', LOG_FORMAT: 'json' },
    listen: 'h2c://127.0.0.1:0',
    keys: await staticKeys({ keys: publicKeys }),
    key: await serviceKeyFrom(privateKey),
  },
});

async function* numbers(after: string): AsyncGenerator<string, void, undefined> {
  for (let number = Number(after) + 1; ; number++) {
    yield String(number);
    await sleep(5);
  }
}
const handlers = {
  async work(): Promise<string> {
    await sleep(30);
    return service.instance;
  },
  count: numbers,
  countPolitely: (after: string) => untilLeaving(numbers(after)),
};
service.add(RollingDefinition, handlers);

process.on('message', (message: 'remove' | 'add') => {
  if (message === 'add') service.add(RollingDefinition, handlers);
  else void service.remove(RollingDefinition).then(() => process.send?.('removed'));
});
process.on('disconnect', () => process.exit());
service.onReady(() => void process.send?.('ready'));
await service.run();
