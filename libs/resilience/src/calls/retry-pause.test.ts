import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rateLimited, toWire, unavailable, type ServiceError } from '@talaria/errors';
import { Metadata, Status, type FailedAttempt, type Outcome, type TransportError } from '@talaria/rpc';
import { DEFAULT_POLICY } from './policy-settings.ts';
import { retryPause } from './retry-pause.ts';
import { failed, testMethod } from './testing/simulated-client.ts';
import { peerSays, verdictOf } from './verdict.ts';

const pauseOf = (error: TransportError, { repeatable = true, random = () => 0.5, ...failure }: Partial<FailedAttempt> & { repeatable?: boolean; random?: () => number } = {}): number | false =>
  retryPause(
    { method: testMethod(), error, attempt: 1, untried: 1, requestsTaken: false, timedOut: false, inFlight: 0, ...failure },
    peerSays(error),
    { retry: DEFAULT_POLICY.retry, repeatable, random },
  );
const told = (error: ServiceError, outcome: Outcome = 'maybe_executed'): TransportError => {
  const { status, trailer } = toWire(error);
  return failed(status, outcome, trailer);
};

describe('an attempt is made again', () => {
  it('if it was never sent or refused, or if its method may be repeated', () => {
    for (const outcome of ['never_sent', 'refused'] as const) assert.equal(pauseOf(failed(Status.UNAVAILABLE, outcome), { repeatable: false }), 0);
    assert.equal(pauseOf(failed(Status.UNAVAILABLE), { repeatable: false }), false);
    assert.equal(pauseOf(failed(Status.UNAVAILABLE)), 0);
    for (const outcome of ['never_sent', 'refused', 'maybe_executed'] as const) assert.equal(pauseOf(failed(Status.UNAVAILABLE, outcome), { requestsTaken: true }), false, 'a stream of which requests were taken');
  });

  it('if that may help, by its status', () => {
    const again = (Object.values(Status).filter((code) => typeof code === 'number') as Status[]).filter((code) => pauseOf(failed(code)) !== false);
    assert.deepEqual(again.map((code) => Status[code]).sort(), ['DATA_LOSS', 'INTERNAL', 'UNAVAILABLE', 'UNKNOWN']);
    assert.equal(pauseOf(failed(Status.INTERNAL), { attempt: 2 }), false, 'a bug is in all instances');
    assert.equal(pauseOf(failed(Status.DEADLINE_EXCEEDED), { timedOut: true }), 0);
    assert.equal(pauseOf(told(unavailable('x', 'Away.', { retryable: false }))), false);
  });

  it('at once, and later after a random time that grows', () => {
    assert.deepEqual([1, 2].map((attempt) => pauseOf(failed(Status.UNAVAILABLE), { attempt })), [0, 25]);
    assert.equal(pauseOf(failed(Status.UNAVAILABLE), { attempt: 2, random: () => 0 }), 0);
    assert.equal(pauseOf(failed(Status.UNAVAILABLE), { attempt: 3 }), false, 'three attempts are the most');
  });

  it('on another instance only, unless it says when to come again', () => {
    assert.equal(pauseOf(failed(Status.UNAVAILABLE), { untried: 0 }), false);
    assert.equal(pauseOf(told(unavailable('x', 'Away.', { retryAfterMs: 70 })), { untried: 0 }), 70);
  });

  it('not before the server wants it', () => {
    assert.equal(pauseOf(told(unavailable('x', 'Away.', { retryAfterMs: 70 }))), 70);
    assert.equal(pauseOf(told(unavailable('x', 'Away.', { retryAfterMs: 10 })), { attempt: 2 }), 25);
    assert.equal(pauseOf(told(unavailable('x', 'Away.', { retryAfterMs: 1_001 }))), false, 'too long');
    assert.equal(pauseOf(told(unavailable('x', 'Away.', { retryAfterMs: -1_000 }))), false, 'negative: never');
    assert.equal(pauseOf(failed(Status.RESOURCE_EXHAUSTED, 'refused', Metadata({ 'grpc-retry-pushback-ms': '30' })), { repeatable: false }), 30);
    for (const never of ['-1', 'soon', '']) assert.equal(pauseOf(failed(Status.UNAVAILABLE, 'refused', Metadata({ 'grpc-retry-pushback-ms': never }))), false);
  });

  it('at once elsewhere if an instance has too much to do, and not at all if all have', () => {
    for (const reason of ['overload', 'deadline', 'concurrency']) {
      const refused = told(rateLimited(reason, 'Too much.', { retryAfterMs: 50 }), 'refused');
      for (const attempt of [1, 2]) assert.equal(pauseOf(refused, { attempt, repeatable: false }), 0);
      assert.equal(pauseOf(refused, { untried: 0 }), false);
      assert.equal(pauseOf(refused, { attempt: 3 }), false);
    }
    for (const reason of ['caller', 'method', 'x']) assert.equal(pauseOf(told(rateLimited(reason, 'Too fast.', { retryAfterMs: 50 }), 'refused')), 50, 'that is so everywhere');
  });

  it('unless it was made again below', () => {
    assert.equal(pauseOf(told(unavailable('x', 'Away.', { attempts: 2 }))), false);
    assert.equal(pauseOf(told(unavailable('x', 'Away.', { attempts: 1 }))), 0);
  });
});

describe('for a breaker, a call', () => {
  const verdict = (error: unknown, durationMs = 100, usualMs?: number) => verdictOf(error, durationMs, usualMs, peerSays);
  it('has failed if the peer has', () => {
    const failures = (Object.values(Status).filter((code) => typeof code === 'number') as Status[]).filter((code) => verdict(failed(code)) === 'failure');
    assert.deepEqual(failures.map((code) => Status[code]).sort(), ['DATA_LOSS', 'DEADLINE_EXCEEDED', 'INTERNAL', 'RESOURCE_EXHAUSTED', 'UNAVAILABLE', 'UNKNOWN']);
    assert.equal(verdict(undefined), 'success');
    assert.equal(verdict(failed(Status.NOT_FOUND)), 'success');
  });

  it('says nothing if its own side has ended it, if nobody was there, or if the peer has it in hand', () => {
    assert.equal(verdict(failed(Status.CANCELLED)), 'neutral');
    assert.equal(verdict(unavailable('no_instances', 'None.')), 'neutral');
    for (const outcome of ['never_sent', 'refused'] as const) assert.equal(verdict(failed(Status.UNAVAILABLE, outcome)), 'neutral');
    assert.equal(verdict(failed(Status.DEADLINE_EXCEEDED), 30), 'neutral');
    assert.equal(verdict(failed(Status.DEADLINE_EXCEEDED), 100, 200), 'neutral');
    assert.equal(verdict(told(unavailable('circuit_open', 'Open.', { retryAfterMs: 1 }))), 'neutral');
    assert.equal(verdict(failed(Status.RESOURCE_EXHAUSTED, 'refused', Metadata({ 'grpc-retry-pushback-ms': '30' }))), 'neutral');
  });
});
