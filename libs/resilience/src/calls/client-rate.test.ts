import assert from 'node:assert/strict';
import { it } from 'node:test';
import { systemClock, type Clock } from '@talaria/base';
import { ServiceError } from '@talaria/errors';
import { Metadata, type PolicyCall } from '@talaria/rpc';
import { clientRate } from './client-rate.ts';
import { DEFAULT_POLICY } from './policy-settings.ts';
import { movedClock } from './testing/moved-clock.ts';
import { testMethod } from './testing/simulated-client.ts';

const call = (clock: Clock, more: { readonly deadline?: number; readonly signal?: AbortSignal } = {}): PolicyCall => ({ method: testMethod(), options: { metadata: Metadata(), clock, deadline: undefined, signal: undefined, ...more } as never });
const isRefused = (message: RegExp) => (error: unknown) => error instanceof ServiceError && error.code === 'rate_limited.client' && message.test(error.message) && (error.retryAfterMs ?? 0) > 0;
const rate = DEFAULT_POLICY.rate;

it('there is no limit by default', () => {
  assert.equal(clientRate(rate, systemClock), undefined);
});

it('calls that are too many are refused, and told when to come again', async () => {
  const clock = movedClock();
  const limit = clientRate({ ...rate, per_second: 2 }, clock);
  assert.deepEqual([limit?.enter(call(clock)), limit?.enter(call(clock))], [undefined, undefined]);
  assert.throws(() => limit?.enter(call(clock)), isRefused(/no more than 2 calls of test\.Test\/Get a second:/));
  await clock.advance(500);
  assert.equal(limit?.enter(call(clock)), undefined);
});

it('calls that are too many wait for their turn, in order, and not beyond their deadlines', async () => {
  const clock = movedClock();
  const limit = clientRate({ ...rate, per_second: 10, burst: 1, wait: true, max_waiting: 3 }, clock);
  assert.equal(limit?.enter(call(clock)), undefined);
  const order: string[] = [];
  const gone = new AbortController();
  const begun = (name: string, turn: Promise<void> | undefined) => {
    assert.ok(turn, `${name} has to wait`);
    return turn.then(() => order.push(name), () => order.push(`${name} gave up`));
  };
  const all = [begun('a', limit?.enter(call(clock))), begun('b', limit?.enter(call(clock, { signal: gone.signal })))];
  assert.throws(() => limit?.enter(call(clock, { deadline: 1_250 })), isRefused(/after its deadline/));
  all.push(begun('c', limit?.enter(call(clock, { deadline: 1_350 }))));
  assert.throws(() => limit?.enter(call(clock)), isRefused(/3 wait for their turn/));
  assert.deepEqual(order, []);
  gone.abort();
  await clock.advance(100);
  assert.deepEqual(order.toSorted(), ['a', 'b gave up']);
  await clock.advance(200);
  await Promise.all(all);
  assert.equal(order.at(-1), 'c');
});
