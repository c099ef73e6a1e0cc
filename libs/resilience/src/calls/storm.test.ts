import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServiceError } from '@talaria/errors';
import { Status } from '@talaria/rpc';
import { failed, simulatedClient, testMethod, type Answer } from './testing/simulated-client.ts';

const well: Answer = () => ({ afterMs: 2 });
const broken: Answer = () => ({ afterMs: 2, error: failed(Status.UNAVAILABLE) });
const hanging: Answer = () => ({ afterMs: 1_000, error: failed(Status.DEADLINE_EXCEEDED) });

describe('a downstream that fails always', () => {
  for (const [how, answer] of [['at once', broken], ['after the deadline', hanging]] as const) {
    it(`${how}: calls are answered locally within 2 s, and hardly more than were offered reach it`, () => {
      const client = simulatedClient();
      client.run({ perSecond: 300, forMs: 15_000, answer: well });
      const [callsBefore, reachedBefore] = [client.calls.length, client.reached.length];
      const faultAt = client.clock.monotonic();
      client.run({ perSecond: 300, forMs: 20_000, answer });
      const calls = client.calls.slice(callsBefore);
      const reached = client.reached.length - reachedBefore;
      assert.equal(calls.length, 6_000);
      // Those that began before it opened hang on until their deadlines.
      const late = calls.filter(({ at }) => at >= faultAt + (how === 'at once' ? 2_000 : 3_100));
      const share = late.filter(({ local }) => local).length / late.length;
      assert.ok(share >= 0.9, `${share} of the calls were answered locally`);
      assert.ok(reached <= 1.25 * calls.length, `${reached} of ${calls.length} calls reached it`);
      assert.ok(reached < (how === 'at once' ? 300 : 700), `${reached} calls reached it`);
      const { error } = late.findLast(({ local }) => local) ?? {};
      assert.ok(error instanceof ServiceError && error.code === 'unavailable.circuit_open');
      assert.match(error.message, /^Calls of test\.Test\/Get are not sent since \d{4}-.*, since 20 in a row failed \(\w+\); the next trial goes in \d+ ms$/);
      assert.ok(error.retryAfterMs !== undefined && error.retryAfterMs <= 1_500);
      assert.equal(client.log.events.filter(({ message }) => message.startsWith('breaker opened')).length, 1);
    });
  }

  it('has its calls again within 2 s after it is back, and no call is refused then', () => {
    for (const perSecond of [300, 20, 3]) {
      const client = simulatedClient();
      client.run({ perSecond, forMs: 30_000, answer: broken });
      assert.equal(client.stats().breaker.state, 'open');
      const backAt = client.clock.monotonic();
      client.run({ perSecond, forMs: 2_000 + 4_000 / perSecond, answer: well });
      assert.equal(client.stats().breaker.state, 'closed', `at ${perSecond} calls a second`);
      const before = client.calls.length;
      client.run({ perSecond, forMs: 5_000, answer: well });
      assert.ok(client.calls.slice(before).every(({ error }) => error === undefined));
      assert.ok(client.calls.every(({ at, local }) => at < backAt + 2_000 + 4_000 / perSecond || !local));
    }
  });
});

it('a downstream that fails in part is relieved, but not of all calls, and has them all again within 2 s', () => {
  const client = simulatedClient({ live: undefined });
  const method = testMethod('Put', {});
  let turn = 0;
  client.run({ perSecond: 300, forMs: 10_000, method, answer: well });
  client.run({ perSecond: 300, forMs: 20_000, method, answer: () => (++turn % 5 === 0 ? { afterMs: 2 } : { afterMs: 2, error: failed(Status.INTERNAL) }) });
  const { breaker } = client.stats();
  assert.ok(breaker.rejected > 1_000, `${breaker.rejected} were refused`);
  assert.ok(turn > 300 * 5, `${turn} reached it`);
  client.run({ perSecond: 300, forMs: 2_000, method, answer: well });
  assert.equal(client.stats().breaker.rejectProbability, 0);
});

it('a downstream of which a third fails is not refused anything, and no idempotent call fails', () => {
  const client = simulatedClient();
  let turn = 0;
  client.run({ perSecond: 300, forMs: 20_000, answer: () => ({ afterMs: 2, ...(++turn % 6 === 0 ? { error: failed(Status.UNAVAILABLE) } : {}) }) });
  assert.deepEqual([client.stats().failures, client.stats().breaker.rejected], [0, 0]);
  assert.ok(client.calls.every(({ error }) => error === undefined));
});

it('without a breaker, the budget alone keeps a storm away', () => {
  const closed = { get: () => ({ '*': { breaker: { mode: 'closed' } } }) as const, onChange: () => () => {} };
  const client = simulatedClient({ live: closed });
  client.run({ perSecond: 300, forMs: 20_000, answer: broken });
  assert.equal(client.calls.length, 6_000);
  assert.ok(client.reached.length <= 1.25 * 6_000, `${client.reached.length} reached it`);
  assert.ok(client.reached.length > 1.1 * 6_000, 'and it is used');
});

it('a developer who restarts a service is not refused', () => {
  const client = simulatedClient();
  client.run({ perSecond: 1, forMs: 5_000, answer: broken });
  client.run({ perSecond: 100, forMs: 5_000, answer: () => ({ afterMs: 1, error: failed(Status.UNAVAILABLE, 'never_sent') }) });
  client.run({ perSecond: 1, forMs: 5_000, answer: well });
  assert.equal(client.stats().breaker.rejected, 0);
});
