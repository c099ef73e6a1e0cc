import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { newId } from '@talaria/base';
import { eventually } from '@talaria/postgres/testing';
import type { Broker, Taken } from '../broker.ts';
import type { Envelope } from '../envelope.ts';

/** An envelope that nobody has seen. */
export function anEnvelope(type: string, changes: Partial<Envelope> = {}): Envelope {
  return { id: newId('evt'), type, time: new Date().toISOString(), source: 'service.test', subject: 'acc_1', data: { text: 'Ünï\u2028 \u0001"', deep: [[null, 1.5, true]] }, ...changes };
}

/** Two instances of a broker that share what they keep; both started. */
export interface BrokerPair {
  readonly one: Broker;
  readonly other: Broker;
  stop(): Promise<void>;
}

/** What every broker must do. */
export function testBroker(name: string, create: () => Promise<BrokerPair>): void {
  describe(`the broker on ${name}`, () => {
    let pair: BrokerPair;
    let count = 0;
    /** A type that no other test uses. */
    const newType = (): string => `test.n${count++}`;
    const take = (group: string, options: { most?: number; holdMs?: number } = {}): Promise<Taken[]> => pair.other.take(group, { most: 10, holdMs: 60_000, ...options });
    const takeSome = (group: string): Promise<Taken[]> => eventually(async () => {
      const taken = await take(group);
      return taken.length > 0 && taken;
    }, `${group} takes something`);
    const ids = (taken: readonly Taken[]): string[] => taken.map(({ envelope }) => envelope.id).sort();
    before(async () => (pair = await create()));
    after(() => pair.stop());

    it('delivers to each group that has subscribed before, whether or not it takes, and to no other', async () => {
      const [type, early] = [newType(), newType()];
      const [a, b, late] = [`${type}.a`, `${type}.b`, `${type}.late`];
      await pair.one.subscribe(a, [type]);
      await pair.one.subscribe(a, [type, early]);
      await pair.one.subscribe(b, [type]);
      const [first, second] = [anEnvelope(type, { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', baggage: 'k=v' }), anEnvelope(type)];
      await pair.one.publish([first, second, anEnvelope(newType())]);
      await pair.one.subscribe(late, [type]);
      const taken = await take(a);
      assert.deepEqual(ids(taken), ids([{ envelope: first, attempt: 1, receipt: '' }, { envelope: second, attempt: 1, receipt: '' }]));
      assert.deepEqual(taken.find(({ envelope }) => envelope.id === first.id)?.envelope, first);
      assert.equal(taken[0]?.attempt, 1);
      assert.equal((await take(b)).length, 2);
      assert.deepEqual(await take(late), []);
      await pair.one.publish([anEnvelope(type)]);
      assert.equal((await take(late)).length, 1);
    });

    it('does not deliver an id again that was published before', async () => {
      const type = newType();
      await pair.one.subscribe(type, [type]);
      const envelope = anEnvelope(type);
      await Promise.all([pair.one.publish([envelope]), pair.other.publish([envelope])]);
      const [taken] = await take(type);
      await pair.one.publish([envelope]);
      await pair.one.acknowledge(type, taken!);
      await pair.one.publish([envelope]);
      assert.deepEqual(await take(type), []);
    });

    it('gives each delivery to one taker, however many take at once', async () => {
      const type = newType();
      await pair.one.subscribe(type, [type]);
      const envelopes = Array.from({ length: 60 }, () => anEnvelope(type));
      await pair.one.publish(envelopes);
      const taken: Taken[] = [];
      await eventually(async () => {
        const rounds = await Promise.all([pair.one, pair.other, pair.one, pair.other].map((broker) => broker.take(type, { most: 7, holdMs: 60_000 })));
        taken.push(...rounds.flat());
        return taken.length >= 60;
      }, 'all are taken');
      assert.deepEqual(ids(taken), envelopes.map(({ id }) => id).sort());
    });

    it('delivers again what was held for too long, and then no longer believes the first taker', async () => {
      const type = newType();
      await pair.one.subscribe(type, [type]);
      await pair.one.publish([anEnvelope(type)]);
      const [slow] = await take(type, { holdMs: 30 });
      const [next] = await takeSome(type);
      assert.equal(next?.attempt, 2);
      assert.equal(await pair.one.extend(type, slow!, 60_000), false);
      await pair.one.acknowledge(type, slow!);
      await pair.one.reject(type, slow!, 'late', undefined);
      assert.equal(await pair.one.extend(type, next!, 60_000), true, 'the second still holds it');
      assert.deepEqual(await pair.one.deadLetters(type, 10), []);
      await pair.one.acknowledge(type, next!);
      assert.equal(await pair.one.extend(type, next!, 1), false);
      assert.deepEqual(await take(type), []);
    });

    it('holds for as long as it is extended', async () => {
      const type = newType();
      await pair.one.subscribe(type, [type]);
      await pair.one.publish([anEnvelope(type)]);
      const [held] = await take(type, { holdMs: 10_000 });
      assert.equal(await pair.one.extend(type, held!, 0), true);
      const [again] = await takeSome(type);
      assert.equal(again?.attempt, 2);
    });

    it('delivers again after the pause that a failure asked for, no sooner', async () => {
      const type = newType();
      await pair.one.subscribe(type, [type]);
      await pair.one.publish([anEnvelope(type), anEnvelope(type)]);
      const [soon, later] = await take(type);
      await pair.one.reject(type, soon!, 'no', 1);
      await pair.one.reject(type, later!, 'no', 60_000);
      const again = await takeSome(type);
      assert.deepEqual(again.map(({ envelope, attempt }) => [envelope.id, attempt]), [[soon!.envelope.id, 2]]);
      assert.deepEqual(await take(type), []);
    });

    it('keeps dead letters until they are requeued', async () => {
      const type = newType();
      await pair.one.subscribe(type, [type]);
      await pair.one.publish([anEnvelope(type), anEnvelope(type), anEnvelope(type)]);
      const taken = await take(type);
      for (const each of taken) await pair.one.reject(type, each, `reason ${each.envelope.id}`, undefined);
      assert.deepEqual(await take(type), []);
      await pair.one.prune();
      const dead = await pair.other.deadLetters(type, 10);
      assert.deepEqual(dead.map(({ envelope, error, attempts, group }) => [envelope.id, error, attempts, group]), taken.map(({ envelope }) => [envelope.id, `reason ${envelope.id}`, 1, type]));
      assert.ok(!Number.isNaN(Date.parse(dead[0]!.since)));
      assert.equal((await pair.other.deadLetters(type, 2)).length, 2);
      assert.equal(await pair.one.requeue(type, taken[0]!.envelope.id), 1);
      assert.deepEqual(ids(await takeSome(type)), [taken[0]!.envelope.id]);
      assert.equal(await pair.one.requeue(type), 2);
      assert.equal((await takeSome(type)).length, 2);
      assert.equal(await pair.one.requeue(type), 0);
    });

    it('tells takers that something may be due', async () => {
      const type = newType();
      await pair.one.subscribe(type, [type]);
      let hints = 0;
      const stop = pair.other.onDue(type, () => hints++);
      await eventually(async () => {
        await pair.one.publish([anEnvelope(type)]);
        return hints > 1;
      }, 'a hint');
      stop();
    });
  });
}
