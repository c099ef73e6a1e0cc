import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Host } from '@talaria/base';
import { postgres, sql, type Postgres } from '@talaria/storage';
import { eventually, testServer, type TestServer } from '@talaria/postgres/testing';
import { messaging, postgresBroker, type Broker, type Messaging } from './index.ts';
import { testElections, type TestElections } from './testing/test-elections.ts';

interface Instance {
  readonly storage: Postgres<object>;
  readonly events: Messaging;
  stop(): Promise<void>;
}

const forever = new AbortController().signal;

describe('the relay of several instances', () => {
  let server: TestServer;
  let stops: (() => Promise<void>)[] = [];
  before(async () => (server = await testServer()));
  after(() => server.stop());

  /** Three instances of a service, and which of them has relayed what. */
  async function instances(elections: TestElections): Promise<{ all: readonly Instance[]; relayed: { by: string; subject: string }[] }> {
    const host = server.host();
    const relayed: { by: string; subject: string }[] = [];
    let busy: string | undefined;
    const all: Instance[] = [];
    for (const instance of ['one', 'two', 'three']) {
      const storage = postgres<object>();
      const own = postgresBroker();
      const broker: Broker = {
        ...own,
        async publish(envelopes) {
          assert.equal(busy, undefined, `${instance} relays while ${busy} does`);
          busy = instance;
          try {
            await own.publish(envelopes);
            relayed.push(...envelopes.map(({ subject }) => ({ by: instance, subject })));
          } finally {
            busy = undefined;
          }
        },
      };
      const events = messaging({ storage, broker });
      const me: Host = { ...host, instance, elections: elections.of(instance) };
      await storage.start(me, forever);
      await events.start(me, forever);
      const stop = async (): Promise<void> => {
        await events.stop();
        await storage.stop();
      };
      stops.push(stop);
      all.push({ storage, events, stop });
    }
    return { all, relayed };
  }
  const publish = ({ storage, events }: Instance, subject: string): Promise<unknown> => storage.transaction(() => events.publish('test.happened', { subject, data: {} }));
  const stopAll = async (): Promise<void> => {
    await Promise.all(stops.map((stop) => stop()));
    stops = [];
  };

  it('is done by the one that leads, whoever publishes', async () => {
    const elections = testElections();
    const { all, relayed } = await instances(elections);
    await eventually(() => elections.leader() !== undefined, 'one leads');
    for (const [index, each] of all.entries()) await publish(each, `s${index}`);
    await eventually(() => relayed.length === 3, 'all are relayed');
    assert.deepEqual(relayed, [0, 1, 2].map((index) => ({ by: 'one', subject: `s${index}` })));
    const { rows } = await sql<{ name: string }>`select name from talaria_fences`.execute(all[0]!.storage.db);
    assert.deepEqual(rows, [{ name: 'default/service.test/messaging.outbox' }], 'it writes under its fence');
    await stopAll();
    assert.equal(elections.leader(), undefined, 'it resigns when it stops');
  });

  it('changes hands, and nothing is lost or out of order', async () => {
    const elections = testElections();
    const { all, relayed } = await instances(elections);
    const wanted: string[] = [];
    for (let index = 0; index < 60; index++) {
      await publish(all[index % 3]!, `s${index}`);
      wanted.push(`s${index}`);
      if (index % 6 === 5) elections.depose();
    }
    // Who is deposed between broker and outbox has its batch repeated.
    const subjects = (): string[] => [...new Set(relayed.map(({ subject }) => subject))];
    await eventually(() => subjects().length === 60, 'all are relayed');
    assert.deepEqual(subjects(), wanted);
    await stopAll();
  });

  it('goes on while nobody can be elected', async () => {
    const elections = testElections();
    const { all, relayed } = await instances(elections);
    elections.goAway();
    for (let index = 0; index < 30; index++) await publish(all[index % 3]!, `s${index}`);
    await eventually(() => relayed.length >= 30, 'all are relayed');
    assert.deepEqual(relayed.map(({ subject }) => subject), Array.from({ length: 30 }, (_, index) => `s${index}`));
    await stopAll();
  });

  it('goes on when the leader does not', async () => {
    const elections = testElections();
    const { all, relayed } = await instances(elections);
    elections.stall();
    for (let index = 0; index < 150; index++) await publish(all[index % 3]!, `s${index}`);
    await eventually(() => relayed.length >= 150, 'all are relayed');
    assert.deepEqual(relayed.map(({ subject }) => subject), Array.from({ length: 150 }, (_, index) => `s${index}`));
    await stopAll();
  });
});
