// A process that leads and writes, for tests: counts up a row, and says over IPC what it is at. Half of its writes are transactions.
import { silentLogger as log } from '@talaria/base';
import { runFenced } from '@talaria/context';
import { etcdElections } from '@talaria/discovery';
import { hasCode } from '@talaria/errors';
import { connectEtcd } from '@talaria/etcd';
import { postgres, sql } from '@talaria/storage';

const [name = '', etcdEndpoint = ''] = process.argv.slice(2);
const storage = postgres<object>();
await storage.start({ service: 'service.writer', instance: name, log, env: process.env }, new AbortController().signal);
const etcd = connectEtcd({ endpoints: etcdEndpoint, log, requestTimeoutMs: 1_000 });
const elections = etcdElections({ etcd, log, service: 'service.writer', instance: name, ttlSeconds: 2 });
/** The test says how to be frozen: between statements of a transaction, or between transactions. */
let pauseInside = false;
process.on('message', (message) => (pauseInside = message === 'inside'));
process.once('disconnect', () => process.exit());

const say = (message: object): void => void process.send?.(message);
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
say({ ready: name });
for (;;) {
  const leadership = await elections.campaign('write');
  say({ leads: name, token: String(leadership.token) });
  // Not looked at on purpose: a leader that heeds nothing must not get through either.
  for (let n = 0; ; n++) {
    try {
      await runFenced(leadership, async () => {
        if (n % 2 === 0) await sql`insert into writes (writer, token) values (${name}, ${String(leadership.token)})`.execute(storage.db);
        else {
          await storage.transaction(async () => {
            const { rows } = await sql<{ value: number }>`select value from counter`.execute(storage.db);
            await sql`insert into writes (writer, token, counts) values (${name}, ${String(leadership.token)}, true)`.execute(storage.db);
            if (pauseInside) {
              say({ inside: name });
              await new Promise((resolve) => setTimeout(resolve, 50));
            }
            await sql`update counter set value = ${(rows[0]?.value ?? 0) + 1}`.execute(storage.db);
          });
          say({ counted: name });
        }
      });
    } catch (error) {
      say({ refused: name, fenced: hasCode(error, 'conflict.fenced'), error: String(error) });
      break;
    }
    await tick();
  }
  await leadership.resign();
}
