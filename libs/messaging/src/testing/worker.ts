// A worker process for tests: notes in a table each event that it handles, and says over IPC what it does.
import { silentLogger } from '@talaria/base';
import { postgres, sql } from '@talaria/storage';
import { messaging } from '../messaging.ts';
import { postgresBroker } from '../postgres/postgres-broker.ts';
import { impatient } from './impatient.ts';

const storage = postgres();
const events = messaging({ storage, broker: impatient(postgresBroker()) });
events.subscribe('test.happened', async (event) => {
  await sql`insert into effects (event_id) values (${event.id})`.execute(storage.db);
  process.send?.({ handling: event.id });
  await sql`select pg_sleep(0.02)`.execute(storage.db);
});
const host = { service: process.env['WORKER_SERVICE'] ?? '', instance: `worker-${process.pid}`, log: silentLogger, env: process.env };
await storage.start(host, new AbortController().signal);
await events.start(host, new AbortController().signal);
process.send?.({ ready: true });
process.once('disconnect', () => void events.stop().then(() => storage.stop()));
