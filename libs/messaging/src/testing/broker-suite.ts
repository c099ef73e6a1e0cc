import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { newId, silentLogger, type Host } from '@talaria/base';
import type { Broker } from '../broker.ts';
import type { Envelope } from '../envelope.ts';

/** What a broker needs to be tested. */
export interface BrokerHarness {
  /** A broker on the same server each time. */
  make(): Broker;
  /** The environment in which it starts. */
  env(): Promise<Host['env']>;
}

const HOLD_MS = 60_000;

/** An envelope of a test. */
export function envelope(type: string, data: unknown = {}): Envelope {
  return { id: newId('evt'), type, time: new Date().toISOString(), source: 'service.test', subject: 'subject', data };
}

/** What every broker must do; each test has groups and types of its own. */
export function brokerSuite(name: string, harness: BrokerHarness): void {
  describe(name, () => {
    const broker = harness.make();
    const other = harness.make();
    before(async () => {
      const host: Host = { service: 'service.test', instance: 'inst_1', log: silentLogger, env: await harness.env() };
      await Promise.all([broker, other].map((each) => each.start(host, AbortSignal.timeout(60_000))));
    });
    after(() => Promise.all([broker, other].map((each) => each.stop())));
    const take = async (group: string, most = 10, holdMs = HOLD_MS): ReturnType<Broker['take']> => broker.take(group, { most, holdMs });

    test('each group gets each event, and nobody gets it twice once it is acknowledged', async () => {
      const type = `test.${newId('t').toLowerCase()}`;
      await broker.subscribe(`${type} a`, [type]);
      await broker.subscribe(`${type} b`, [type]);
      const sent = envelope(type, { amount: 1, text: 'Café ☕' });
      await broker.publish([sent]);
      for (const group of [`${type} a`, `${type} b`]) {
        const [taken, ...more] = await take(group);
        assert.deepEqual(taken?.envelope, sent);
        assert.equal(taken?.attempt, 1);
        assert.deepEqual(more, []);
        if (taken) await broker.acknowledge(group, taken);
        assert.deepEqual(await take(group), []);
      }
    });

    test('a group gets what is published while none of its instances run, and nothing from before it subscribed', async () => {
      const type = `test.${newId('t').toLowerCase()}`;
      await broker.publish([envelope(type)]);
      await broker.subscribe(type, [type]);
      await broker.subscribe(type, [type]);
      const later = envelope(type);
      await other.publish([later]);
      assert.deepEqual((await take(type)).map(({ envelope: { id } }) => id), [later.id]);
    });

    test('an id that is published again is one event', async () => {
      const type = `test.${newId('t').toLowerCase()}`;
      await broker.subscribe(type, [type]);
      const sent = envelope(type);
      await broker.publish([sent]);
      await other.publish([sent, envelope(type)]);
      assert.equal((await take(type)).length, 2);
    });

    test('instances that take at once share the work', async () => {
      const type = `test.${newId('t').toLowerCase()}`;
      await broker.subscribe(type, [type]);
      await broker.publish(Array.from({ length: 40 }, () => envelope(type)));
      const taken = await Promise.all([broker, other, broker, other].map((each) => each.take(type, { most: 10, holdMs: HOLD_MS })));
      assert.equal(new Set(taken.flat().map((each) => each.envelope.id)).size, 40);
    });

    test('what was taken and not acknowledged is due again when its hold ends, and the late one has no say any more', async () => {
      const type = `test.${newId('t').toLowerCase()}`;
      await broker.subscribe(type, [type]);
      await broker.publish([envelope(type)]);
      const [dead] = await take(type, 1, 1);
      assert.ok(dead);
      let again = await take(type, 1);
      while (again.length === 0) again = await take(type, 1);
      assert.equal(again[0]?.attempt, 2);
      assert.equal(await broker.extend(type, dead, HOLD_MS), false);
      await broker.acknowledge(type, dead);
      await broker.reject(type, dead, 'late', 0);
      assert.deepEqual(await take(type), []);
      assert.equal(await broker.extend(type, again[0] ?? dead, 1), true);
    });

    test('a rejected one comes again when it is time', async () => {
      const type = `test.${newId('t').toLowerCase()}`;
      await broker.subscribe(type, [type]);
      await broker.publish([envelope(type)]);
      const [first] = await take(type);
      assert.ok(first);
      await broker.reject(type, first, 'not now', 0);
      const [second] = await take(type);
      assert.equal(second?.attempt, 2);
      if (second) await broker.reject(type, second, 'much later', 3_600_000);
      assert.deepEqual(await take(type), []);
    });

    test('a dead letter is kept, told of, and can be requeued', async () => {
      const type = `test.${newId('t').toLowerCase()}`;
      await broker.subscribe(type, [type]);
      const sent = envelope(type);
      await broker.publish([sent]);
      const [taken] = await take(type);
      assert.ok(taken);
      await broker.reject(type, taken, 'broken', undefined);
      assert.deepEqual(await take(type), []);
      const [letter] = await broker.deadLetters(type, 10);
      assert.deepEqual({ id: letter?.envelope.id, error: letter?.error, attempts: letter?.attempts }, { id: sent.id, error: 'broken', attempts: 1 });
      await broker.prune();
      assert.equal(await broker.requeue(type, 'evt_other'), 0);
      assert.equal(await broker.requeue(type), 1);
      assert.equal((await take(type))[0]?.attempt, 1);
      assert.deepEqual(await broker.deadLetters(type, 10), []);
    });
  });
}
