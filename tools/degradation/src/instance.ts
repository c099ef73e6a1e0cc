// One instance of the service under test, in a process of its own. It behaves as it is told over IPC.
import { openSync, writeSync } from 'node:fs';
import { serviceKeyFrom, staticKeys } from '@talaria/auth';
import { createService, notFound, unavailable } from '@talaria/service';
import { DegradationDefinition } from './contract.ts';
import { slots, type Behaviour, type InstanceOptions } from './behaviour.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as InstanceOptions;
const executed = openSync(options.executedFile, 'a');
let behaviour: Behaviour = {};
let served = 0;

const work = slots(options.slots, options.serviceMs);

async function behave(): Promise<void> {
  served++;
  const { delayMs, unavailable: failing = 0, notFound: missing = 0 } = behaviour;
  if (Math.random() < failing) throw unavailable('degradation', 'This instance is told to fail');
  if (Math.random() < missing) throw notFound('degradation', 'This instance is told that there is no such thing');
  if (delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, delayMs));
  await work();
}

const service = createService({
  name: 'service.degradation',
  description: 'One instance under faults',
  version: '1.0.0',
  platform: {
    env: { ...process.env, ETCD_ENDPOINTS: options.etcd, LOG_LEVEL: 'info', LOG_FORMAT: 'json' },
    listen: options.listen,
    keys: await staticKeys({ keys: [...options.publicKeys] }),
    key: await serviceKeyFrom(options.privateKey),
  },
});
service.add(DegradationDefinition, {
  async read() {
    await behave();
    return service.instance;
  },
  async write(id) {
    writeSync(executed, `${id}\n`);
    await behave();
    return service.instance;
  },
});
process.on('message', (message: { behaviour?: Behaviour; ask?: 'served' }) => {
  if (message.behaviour) behaviour = message.behaviour;
  process.send?.({ served });
});
process.on('disconnect', () => process.exit());
service.onReady(() => void process.send?.({ ready: service.instance, address: service.address }));
await service.run();
