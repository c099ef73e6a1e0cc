import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock, type Clock } from '@talaria/base';
import { tokenBuckets } from './token-buckets.ts';

/** A clock that a test moves. */
function manualClock(): Clock & { advance(ms: number): void } {
  let now = 1_000;
  return { ...systemClock, monotonic: () => now, advance: (ms) => void (now += ms) };
}

describe('token buckets', () => {
  it('let a burst through, and then as many as the rate says', () => {
    const clock = manualClock();
    const buckets = tokenBuckets({ rate: 2, burst: 3, clock, mostSubjects: 10 });
    const take = (): boolean => buckets.take('ada').taken;
    assert.deepEqual([take(), take(), take(), take()], [true, true, true, false]);
    assert.deepEqual(buckets.take('ada'), { taken: false, left: 0, waitMs: 500, moreMs: 500 });
    assert.deepEqual(tokenBuckets({ rate: 2, burst: 3, clock, mostSubjects: 1 }).take('ada'), { taken: true, left: 2, waitMs: 0, moreMs: 500 });
    clock.advance(499);
    assert.equal(take(), false);
    clock.advance(1);
    assert.deepEqual([take(), take()], [true, false]);
    clock.advance(60_000);
    assert.deepEqual([take(), take(), take(), take()], [true, true, true, false], 'never more than the burst');
    assert.equal(buckets.take('bob').taken, true, 'each has a bucket of its own');
  });

  it('remember a bounded number of subjects, the latest ones', () => {
    const buckets = tokenBuckets({ rate: 0.001, burst: 1, clock: manualClock(), mostSubjects: 2 });
    assert.equal(buckets.take('a').taken, true);
    buckets.take('b');
    assert.equal(buckets.take('a').taken, false);
    buckets.take('c');
    assert.deepEqual([buckets.size, buckets.take('a').taken], [2, false], 'b was forgotten');
    assert.equal(buckets.take('b').taken, true);
  });
});
