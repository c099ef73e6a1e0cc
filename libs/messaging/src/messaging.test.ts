import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { context, propagation, trace, type TextMapPropagator } from '@opentelemetry/api';
import { silentLogger, type Host } from '@talaria/base';
import { currentCall } from '@talaria/context';
import { eventually, startVictim, testServer, type TestServer } from '@talaria/postgres/testing';
import { postgres, sql, type Migrations, type Postgres } from '@talaria/storage';
import { messaging, postgresBroker, type Broker, type Envelope, type Messaging } from './index.ts';
import { impatient } from './testing/impatient.ts';

interface Tables {
  effects: { event_id: string };
}

const migrations: Migrations = { '001_effects': { up: async (db) => void (await sql`create table effects (event_id text not null)`.execute(db)) } };
const forever = new AbortController().signal;
const TYPE = 'test.happened';

/** W3C, as far as these tests need it; telemetry brings the real one. */
const propagator: TextMapPropagator = {
  fields: () => ['traceparent', 'baggage'],
  inject(from, carrier, setter) {
    const span = trace.getSpanContext(from);
    if (span) setter.set(carrier, 'traceparent', `00-${span.traceId}-${span.spanId}-01`);
    const entry = propagation.getBaggage(from)?.getEntry('tenant');
    if (entry) setter.set(carrier, 'baggage', `tenant=${entry.value}`);
  },
  extract(into, carrier, getter) {
    const [, traceId, spanId] = String(getter.get(carrier, 'traceparent') ?? '').split('-');
    const value = String(getter.get(carrier, 'baggage') ?? '').split('=')[1];
    const traced = traceId && spanId ? trace.setSpanContext(into, { traceId, spanId, traceFlags: 1, isRemote: true }) : into;
    return value ? propagation.setBaggage(traced, propagation.createBaggage({ tenant: { value } })) : traced;
  },
};

interface Service {
  readonly storage: Postgres<Tables>;
  readonly events: Messaging;
  publish(count?: number): Promise<Envelope[]>;
  effects(): Promise<string[]>;
  start(): Promise<Service>;
  stop(): Promise<void>;
}

function serviceOn(host: Host, broker: Broker = postgresBroker()): Service {
  const storage = postgres<Tables>({ migrations });
  const events = messaging({ storage, broker });
  const service: Service = {
    storage,
    events,
    publish: (count = 1) => storage.transaction(async () => {
      const published: Envelope[] = [];
      for (let n = 0; n < count; n++) published.push(await events.publish(TYPE, { subject: 'acc_1', data: { n } }));
      return published;
    }),
    effects: async () => (await storage.db.selectFrom('effects').select('event_id').execute()).map(({ event_id }) => event_id).sort(),
    async start() {
      await storage.start(host, forever);
      await events.start(host, forever);
      return service;
    },
    async stop() {
      await events.stop();
      await storage.stop();
    },
  };
  return service;
}

/** The effect of a test's event. */
const note = ({ storage }: Service) => async (event: Envelope): Promise<void> => void (await storage.db.insertInto('effects').values({ event_id: event.id }).execute());
const idsOf = (envelopes: readonly Envelope[]): string[] => envelopes.map(({ id }) => id).sort();

// At once: they mostly wait.
describe('messaging', { concurrency: true }, () => {
  let server: TestServer;
  before(async () => {
    propagation.setGlobalPropagator(propagator);
    server = await testServer();
  });
  after(() => server.stop());
  /** Two services, and a broker, that no other test uses. */
  async function hosts(): Promise<{ publisher: Host; subscriber: Host }> {
    const BROKER_URL = await server.database();
    const host = (): Host => {
      const made = server.host();
      return { ...made, env: { ...made.env, BROKER_URL } };
    };
    return { publisher: host(), subscriber: host() };
  }
  /** Stopped when the test ends. */
  function add(t: TestContext, host: Host, broker?: Broker): Service {
    const service = serviceOn(host, broker);
    t.after(() => service.stop());
    return service;
  }

  it('delivers what was committed, with its trace and baggage, in a transaction and a call of its own', async (t) => {
    const { publisher, subscriber } = await hosts();
    const [from, to] = [add(t, publisher), add(t, subscriber)];
    const seen: { event: Envelope; traceId: string | undefined; tenant: string | undefined; requestId: string | undefined; deadline: boolean; inTransaction: boolean }[] = [];
    to.events.subscribe(TYPE, async (event) => {
      seen.push({
        event,
        traceId: trace.getSpanContext(context.active())?.traceId,
        tenant: propagation.getActiveBaggage()?.getEntry('tenant')?.value,
        requestId: currentCall().requestId,
        deadline: currentCall().deadline !== undefined,
        inTransaction: to.storage.inTransaction,
      });
    });
    await to.start();
    await from.start();
    await assert.rejects(from.events.publish(TYPE, { subject: 'x', data: {} }), /inside storage\.transaction/);
    await assert.rejects(async () => from.storage.transaction(() => from.events.publish('Not A Type', { subject: 'x', data: {} })), /not like transaction\.created/);
    await assert.rejects(from.storage.transaction(async () => {
      await from.events.publish(TYPE, { subject: 'undone', data: {} });
      throw new Error('no');
    }), /no/);
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const traced = trace.setSpanContext(propagation.setBaggage(context.active(), propagation.createBaggage({ tenant: { value: 'acme' } })), { traceId, spanId: 'b7ad6b7169203331', traceFlags: 1 });
    const [event] = await context.with(traced, () => from.publish());
    await eventually(() => seen.length > 0, 'the event arrives');
    assert.deepEqual(seen, [{ event: JSON.parse(JSON.stringify(event)), traceId, tenant: 'acme', requestId: event!.id, deadline: true, inTransaction: true }]);
    assert.equal(event!.source, publisher.service);
    // The relay forgets what it published a moment after the subscriber may have it.
    await eventually(async () => (await from.events.checkers[0]!.check(forever) as { waiting: number }).waiting === 0, 'the outbox is empty');
  });

  it('gives each event to one instance of each group, with one effect, also while a group is away', async (t) => {
    const { publisher, subscriber } = await hosts();
    const [from, one, two] = [add(t, publisher), add(t, subscriber), add(t, subscriber)];
    const audited: string[] = [];
    for (const each of [one, two]) {
      each.events.subscribe(TYPE, note(each));
      each.events.subscribe(TYPE, async (event) => void audited.push(event.id), { group: `${subscriber.service}.audit` });
    }
    assert.throws(() => one.events.subscribe(TYPE, async () => {}), /handler in this group already/);
    await one.start();
    await two.start();
    await from.start();
    const published = (await Promise.all([from.publish(20), from.publish(20)])).flat();
    await eventually(async () => (await one.effects()).length >= 40 && audited.length >= 40, 'all are handled');
    await one.stop();
    await two.stop();
    published.push(...(await from.publish(5)));
    const back = add(t, subscriber);
    back.events.subscribe(TYPE, note(back));
    await back.start();
    await eventually(async () => (await back.effects()).length >= 45, 'what came meanwhile is handled');
    assert.deepEqual(await back.effects(), idsOf(published));
  });

  it('undoes what a failing handler did, and tries again', async (t) => {
    const { publisher, subscriber } = await hosts();
    const [from, to] = [add(t, publisher), add(t, subscriber)];
    const attempts: number[] = [];
    to.events.subscribe(TYPE, async (event, { attempt }) => {
      await note(to)(event);
      attempts.push(attempt);
      if (attempt < 3) throw new Error('not yet');
    });
    await to.start();
    await from.start();
    const published = await from.publish();
    await eventually(() => attempts.length === 3, 'three attempts');
    await eventually(async () => (await to.effects()).length > 0, 'the effect');
    assert.deepEqual([attempts, await to.effects()], [[1, 2, 3], idsOf(published)]);
  });

  it('has one effect when an acknowledgement is lost and the event comes again', async (t) => {
    const { publisher, subscriber } = await hosts();
    const broker = postgresBroker();
    const acknowledged: number[] = [];
    const forgetful: Broker = {
      ...broker,
      take: (group, { most }) => broker.take(group, { most, holdMs: 100 }),
      async acknowledge(group, taken) {
        acknowledged.push(taken.attempt);
        if (taken.attempt < 2) throw new Error('lost');
        await broker.acknowledge(group, taken);
      },
      reject: async () => {},
    };
    const [from, to] = [add(t, publisher), add(t, subscriber, forgetful)];
    to.events.subscribe(TYPE, note(to));
    await to.start();
    await from.start();
    const published = await from.publish();
    await eventually(() => acknowledged.includes(2), 'the second delivery');
    assert.deepEqual(await to.effects(), idsOf(published));
  });

  it('keeps what fails too often, also by ending the process each time, and takes it up again when asked', async (t) => {
    const { publisher, subscriber } = await hosts();
    const broker = postgresBroker();
    let before = 19;
    const aged: Broker = { ...broker, take: async (group, options) => (await broker.take(group, options)).map((taken) => ({ ...taken, attempt: taken.attempt + before })) };
    const [from, to] = [add(t, publisher), add(t, subscriber, aged)];
    let works = false;
    let calls = 0;
    to.events.subscribe(TYPE, async (event) => {
      calls++;
      if (!works) throw new Error('broken on purpose');
      await note(to)(event);
    });
    await to.start();
    await from.start();
    const deadOf = (): Promise<string[]> => to.events.deadLetters().then((letters) => letters.map(({ error }) => error));
    const published = await from.publish();
    await eventually(async () => (await deadOf()).length === 1, 'a dead letter');
    assert.deepEqual([await deadOf(), calls], [['broken on purpose'], 1]);
    await assert.rejects(async () => to.events.checkers[1]!.check(forever), /1 events failed too often/);
    before = 20;
    published.push(...(await from.publish()));
    await eventually(async () => (await deadOf()).length === 2, 'another dead letter');
    assert.equal(calls, 1, 'the handler does not run again');
    [works, before] = [true, 0];
    assert.equal(await to.events.requeue({ eventId: published[0]!.id }), 1);
    assert.equal(await to.events.requeue(), 1);
    await eventually(async () => (await to.effects()).length === 2, 'both are handled');
    await eventually(async () => (await deadOf()).length === 0, 'no dead letter is left');
    assert.deepEqual(await to.events.checkers[1]!.check(forever), { count: 0 });
  });

  it('lets handlers that run end when it stops', async (t) => {
    const { publisher, subscriber } = await hosts();
    const [from, to] = [add(t, publisher), add(t, subscriber)];
    let handling = false;
    to.events.subscribe(TYPE, async (event) => {
      await note(to)(event);
      handling = true;
      await sql`select pg_sleep(0.1)`.execute(to.storage.db);
    });
    await to.start();
    await from.start();
    const published = await from.publish();
    await eventually(() => handling, 'the handler runs');
    await to.events.stop();
    assert.deepEqual(await to.effects(), idsOf(published));
  });

  it('stops although a handler hangs, and leaves its event to the next instance at once', async (t) => {
    const { publisher, subscriber } = await hosts();
    const [from, hangs] = [add(t, publisher), add(t, subscriber)];
    let handling = false;
    hangs.events.subscribe(TYPE, async (event) => {
      await note(hangs)(event);
      handling = true;
      await sql`select pg_sleep(600)`.execute(hangs.storage.db);
    });
    await hangs.start();
    await from.start();
    const published = await from.publish();
    await eventually(() => handling, 'the handler runs');
    await hangs.stop();
    const next = add(t, subscriber);
    let attempts = 0;
    next.events.subscribe(TYPE, async (event, { attempt }) => {
      attempts = attempt;
      await note(next)(event);
    });
    await next.start();
    // Sooner than a hold of 20 s ends.
    await eventually(async () => (await next.effects()).length > 0, 'the event is handled', 17_000);
    assert.deepEqual([await next.effects(), attempts], [idsOf(published), 2]);
  });

  it('relays what an instance wrote before it died, and repeats nothing of it', async (t) => {
    const { publisher, subscriber } = await hosts();
    const broker = postgresBroker();
    let published = 0;
    const dying: Broker = {
      ...broker,
      async publish(envelopes) {
        await broker.publish(envelopes);
        published++;
        throw new Error('died before it could note that');
      },
    };
    const [from, to] = [add(t, publisher, dying), add(t, subscriber)];
    let calls = 0;
    to.events.subscribe(TYPE, async (event) => {
      calls++;
      await note(to)(event);
    });
    await to.start();
    await from.start();
    const events = await from.publish(3);
    await eventually(() => published > 1, 'the relay repeats');
    await from.events.stop();
    const next = await add(t, publisher).start();
    await eventually(async () => (await next.events.checkers[0]!.check(forever))['waiting'] === 0, 'the outbox is empty');
    await eventually(async () => (await to.effects()).length === 3, 'all are handled');
    assert.deepEqual([await to.effects(), calls], [idsOf(events), 3]);
  });

  it('shares work between processes, and takes up what a killed one held', async (t) => {
    const { publisher, subscriber } = await hosts();
    const from = await add(t, publisher).start();
    const watch = add(t, subscriber);
    await watch.storage.start(subscriber, forever);
    const worker = async (): Promise<{ child: ReturnType<typeof fork>; handled: string[] }> => {
      const child = fork(join(import.meta.dirname, 'testing', 'worker.ts'), { env: { ...process.env, ...subscriber.env, WORKER_SERVICE: subscriber.service } });
      const handled: string[] = [];
      await once(child, 'message');
      child.on('message', (message: { handling?: string }) => void (message.handling && handled.push(message.handling)));
      return { child, handled };
    };
    const [one, two] = await Promise.all([worker(), worker()]);
    const published = await from.publish(150);
    await eventually(() => one.handled.length > 10 && two.handled.length > 10, 'both work');
    one.child.kill('SIGKILL');
    await once(one.child, 'exit');
    published.push(...(await from.publish(50)));
    await eventually(async () => (await watch.effects()).length >= 200, 'all are handled');
    assert.deepEqual(await watch.effects(), idsOf(published));
    two.child.disconnect();
    await once(two.child, 'exit');
    await watch.storage.stop();
  });

  it('refuses to start without a server, in one sentence', async () => {
    const storage = postgres();
    const host = server.host();
    await storage.start(host, forever);
    const start = messaging({ storage }).start({ ...host, env: {} }, forever);
    await assert.rejects(start, /^Error: DATABASE_URL is not set: [^\n]*$/);
    await storage.stop();
  });
});

describe('messaging, when the server dies', () => {
  it('loses nothing that was acknowledged, and has each effect once', async () => {
    const victim = await startVictim();
    const env = { DATABASE_URL: victim.server().url };
    const host = (service: string): Host => ({ service, instance: 'i', log: silentLogger, env });
    const [from, to] = [serviceOn(host('service.publisher')), serviceOn(host('service.subscriber'), impatient(postgresBroker()))];
    to.events.subscribe(TYPE, note(to));
    await to.start();
    await from.start();
    const acknowledged: Envelope[] = [];
    let stop = false;
    const stream = (async () => {
      while (!stop) {
        try {
          acknowledged.push(...(await from.publish()));
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    })();
    for (let kill = 0; kill < 2; kill++) {
      const at = acknowledged.length;
      await eventually(() => acknowledged.length > at + 20, 'events are published');
      await victim.crash();
      await victim.restart();
    }
    const at = acknowledged.length;
    await eventually(() => acknowledged.length > at + 20, 'events are published again');
    stop = true;
    await stream;
    const missing = async (): Promise<string[]> => {
      const effects = new Set(await to.effects());
      return idsOf(acknowledged).filter((id) => !effects.has(id));
    };
    await eventually(async () => (await missing()).length === 0, 'all that was acknowledged is handled', 60_000);
    const effects = await to.effects();
    assert.equal(new Set(effects).size, effects.length);
    await Promise.all([from.stop(), to.stop()]);
    await victim.stop();
  });
});
