import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DELAYS_MS, nextDelay, retryAfter } from './schedule.ts';

test('ten attempts, then none', () => {
  const middle = (): number => 0.5;
  const delays = Array.from({ length: 10 }, (_, index) => nextDelay(DELAYS_MS, index + 1, 0, middle));
  assert.deepEqual(delays, [5e3, 3e5, 18e5, 72e5, 18e6, 36e6, 504e5, 72e6, 864e5, undefined]);
});

test('delays that have become fewer end what has had more attempts', () => {
  assert.equal(nextDelay([1_000], 1, 0, () => 0.5), 1_000);
  assert.equal(nextDelay([1_000], 2), undefined);
  assert.equal(nextDelay([1_000], 7), undefined);
  assert.equal(nextDelay([], 1), undefined);
});

test('jitter stays within a fifth', () => {
  assert.equal(nextDelay(DELAYS_MS, 1, 0, () => 0), 4000);
  assert.equal(nextDelay(DELAYS_MS, 1, 0, () => 1), 6000);
});

test('a receiver may ask for more time, within limits', () => {
  assert.equal(nextDelay(DELAYS_MS, 1, 60_000, () => 0.5), 60_000);
  assert.equal(nextDelay(DELAYS_MS, 1, 1e12, () => 0.5), 864e5);
  assert.equal(nextDelay(DELAYS_MS, 10, 60_000), undefined);
});

test('Retry-After in seconds, as a date, or nonsense', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  assert.equal(retryAfter('120', now), 120_000);
  assert.equal(retryAfter('Thu, 01 Jan 2026 00:00:30 GMT', now), 30_000);
  assert.equal(retryAfter('soon', now), 0);
  assert.equal(retryAfter(undefined, now), 0);
});
