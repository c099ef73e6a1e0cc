import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId, silentLogger, type Host } from '@talaria/base';
import { currentCall } from '@talaria/context';
import { postgres, sql, type Migrations, type Postgres } from '@talaria/storage';
import { retryDelay } from './consumer.ts';
import { messaging, type Messaging } from './messaging.ts';
import { startTestServer, type TestServer } from './testing/database.ts';

interface Tables {
  effects: { event_id: string; note: string };
}

const migrations: Migrations = {
  '001_effects': { up: async (db) => void (await sql`create table effects (event_id text not null, note text not null)`.execute(db)) },
};

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.stop());

/** A service with messaging, as createService would start it; stopped when the test ends. */
async function start(t: { after(fn: () => Promise<void>): void }, name: string, wire: (events: Messaging, db: Postgres<Tables>) => void = () => {}): Promise<{ db: Postgres<Tables>; events: Messaging }> {
  const db = postgres<Tables>({ migrations });
  const events = messaging({ storage: db });
  wire(events, db);
  const host: Host = { service: name, instance: newId('inst'), log: silentLogger, env: { DATABASE_URL: server.url } };
  await db.start(host, AbortSignal.timeout(60_000));
  await events.start(host, AbortSignal.timeout(60_000));
  t.after(async () => {
    await events.stop();
    await db.stop();
  });
  return { db, events };
}

async function until<T>(condition: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  const limit = performance.now() + 60_000;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (performance.now() > limit) throw new Error('the condition did not come true');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const own = (): string => newId('test').toLowerCase().replace('_', '.x');
const effects = async (db: Postgres<Tables>, id: string): Promise<number> => (await db.db.selectFrom('effects').selectAll().where('event_id', '=', id).execute()).length;

test('an event reaches its subscriber if, and only if, its transaction commits', async (t) => {
  const type = own();
  const seen: string[] = [];
  const { db, events } = await start(t, `service.${type}`, (each) => each.subscribe(type, async (event) => void seen.push(event.subject)));
  await assert.rejects(
    db.transaction(async () => {
      await events.publish(type, { subject: 'undone', data: {} });
      throw new Error('no');
    }),
    /no/,
  );
  await db.transaction(() => events.publish(type, { subject: 'kept', data: {} }));
  await until(() => seen.length > 0);
  assert.deepEqual(seen, ['kept']);
});

test('outside of a transaction nothing is published, and the error says so', async (t) => {
  const { events } = await start(t, 'service.outside');
  await assert.rejects(events.publish('thing.happened', { subject: 'x', data: {} }), /storage\.transaction/);
});

test('a handler runs in a call of its own, in a transaction, with what was published', async (t) => {
  const type = own();
  const seen: unknown[] = [];
  const { db, events } = await start(t, `service.${type}`, (each, storage) =>
    each.subscribe(type, async (event, { attempt }) => {
      seen.push({ event, attempt, inTransaction: storage.inTransaction, requestId: currentCall().requestId });
    }),
  );
  const sent = await db.transaction(() => events.publish(type, { subject: 'acc_1', data: { amount: -520, text: 'é' } }));
  await until(() => seen.length > 0);
  assert.deepEqual(seen, [{ event: JSON.parse(JSON.stringify(sent)), attempt: 1, inTransaction: true, requestId: sent.id }]);
  assert.equal(sent.source, `service.${type}`);
});

test('a handler that fails leaves no effect, and the event comes again', async (t) => {
  const type = own();
  let attempts = 0;
  const { db, events } = await start(t, `service.${type}`, (each, storage) =>
    each.subscribe(type, async (event) => {
      await storage.db.insertInto('effects').values({ event_id: event.id, note: 'x' }).execute();
      if (++attempts < 3) throw new Error('not yet');
    }),
  );
  const { id } = await db.transaction(() => events.publish(type, { subject: 'x', data: {} }));
  await until(async () => (await effects(db, id)) === 1);
  assert.equal(attempts, 3);
});

test('what is delivered twice has one effect', async (t) => {
  const type = own();
  const { db, events } = await start(t, `service.${type}`, (each, storage) =>
    each.subscribe(type, async (event) => {
      await storage.db.insertInto('effects').values({ event_id: event.id, note: 'x' }).execute();
      // As if the process died between the commit and the acknowledgement, and the hold ended.
      if (event.subject === 'twice') await sql`select 1`.execute(storage.db);
    }),
  );
  const { id } = await db.transaction(() => events.publish(type, { subject: 'twice', data: {} }));
  await until(async () => (await effects(db, id)) === 1);
  // The relay died after it had published, and its successor publishes again, to a broker that has forgotten.
  const broker = postgres<Tables>({ database: 'broker' });
  await broker.start({ service: 'broker', instance: 'inst', log: silentLogger, env: { DATABASE_URL: server.url } }, AbortSignal.timeout(60_000));
  await until(async () => {
    const { rows } = await sql`select from broker_deliveries where event_id = ${id}`.execute(broker.db);
    return rows.length === 0;
  });
  await sql`insert into broker_deliveries (subscriber, event_id) values (${`service.${type}`}, ${id})`.execute(broker.db);
  await until(async () => {
    const { rows } = await sql`select from broker_deliveries where event_id = ${id}`.execute(broker.db);
    return rows.length === 0;
  });
  assert.equal(await effects(db, id), 1);
  await broker.stop();
});

test('two instances of a service share its events', async (t) => {
  const type = own();
  const seen: string[][] = [[], []];
  const gate = Promise.withResolvers<void>();
  const wire = (index: number) => (each: Messaging) =>
    each.subscribe(
      type,
      async (event) => {
        seen[index]?.push(event.id);
        await gate.promise;
      },
      { concurrency: 1 },
    );
  const { db, events } = await start(t, `service.${type}`, wire(0));
  await start(t, `service.${type}`, wire(1));
  await db.transaction(async () => {
    for (let index = 0; index < 10; index++) await events.publish(type, { subject: String(index), data: {} });
  });
  await until(() => seen.every((ids) => ids.length === 1));
  gate.resolve();
  await until(() => seen.flat().length === 10);
  assert.equal(new Set(seen.flat()).size, 10);
});

test('messaging that stops waits for the handlers that run', async (t) => {
  const type = own();
  const started = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  let finished = false;
  const { db, events } = await start(t, `service.${type}`, (each) =>
    each.subscribe(type, async () => {
      started.resolve();
      await gate.promise;
      finished = true;
    }),
  );
  await db.transaction(() => events.publish(type, { subject: 'x', data: {} }));
  await started.promise;
  const stopping = events.stop();
  gate.resolve();
  await stopping;
  assert.equal(finished, true);
});

test('misuse is one sentence', () => {
  const events = messaging({ storage: postgres<Tables>() });
  assert.throws(() => events.subscribe('Transaction Created', async () => {}), /transaction\.created/);
  events.subscribe('a.b', async () => {});
  assert.throws(() => events.subscribe('a.b', async () => {}), /group of its own/);
});

test('pauses double up to four hours, and there is an end', () => {
  assert.equal(retryDelay(1, () => 1), 500);
  assert.equal(retryDelay(2, () => 0), 500);
  assert.equal(retryDelay(19, () => 1), 4 * 3_600_000);
  assert.equal(retryDelay(20), undefined);
});
