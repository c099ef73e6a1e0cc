import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock, type Clock } from '@talaria/base';
import fc from 'fast-check';
import { tokenBucket } from './token-bucket.ts';
import { tokenBuckets } from './token-buckets.ts';

/** A clock that a test moves. */
function movedClock(): Clock & { advance(ms: number): void } {
  let now = 1_000;
  return { ...systemClock, monotonic: () => now, advance: (ms) => void (now += ms) };
}

describe('a token bucket', () => {
  it('lets a burst through, and then as many as the rate says', () => {
    const clock = movedClock();
    const bucket = tokenBucket({ perSecond: 2, burst: 3, clock });
    assert.equal(bucket.left, 3);
    assert.deepEqual([bucket.take(), bucket.take(), bucket.take(), bucket.take()], [true, true, true, 500]);
    clock.advance(499);
    assert.equal(bucket.take(), 1);
    clock.advance(1);
    assert.deepEqual([bucket.left, bucket.take(), bucket.left, bucket.take()], [1, true, 0, 500]);
    clock.advance(60_000);
    assert.deepEqual([bucket.take(2), bucket.take(2), bucket.take(), bucket.take()], [true, 500, true, 500], 'never more than the burst');
    assert.equal(bucket.take(4), Infinity);
  });

  it('makes those wait who ask for it, in their order and not for too long', () => {
    const bucket = tokenBucket({ perSecond: 10, burst: 1, clock: movedClock() });
    assert.deepEqual([bucket.reserve(), bucket.reserve(), bucket.reserve(1, 150), bucket.reserve(1, 250)], [0, 100, undefined, 200]);
    bucket.giveBack();
    assert.equal(bucket.reserve(), 200);
  });

  it('refuses to be made of numbers that let nothing through', () => {
    assert.throws(() => tokenBucket({ perSecond: 0 }), /set a rate above 0/);
    assert.throws(() => tokenBucket({ perSecond: 1, burst: 0.5 }), RangeError);
  });

  it('never lets more through than burst and rate, and never less if it is asked often enough', () => {
    const gaps = fc.array(fc.nat({ max: 400 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 20 }), gaps, (perSecond, burst, waits) => {
        const clock = movedClock();
        const bucket = tokenBucket({ perSecond, burst, clock });
        const begun = clock.monotonic();
        let taken = 0;
        for (const ms of waits) {
          clock.advance(ms);
          for (let asked = 0; asked < 30; asked++) if (bucket.take() === true) taken++;
          const due = ((clock.monotonic() - begun) / 1000) * perSecond;
          assert.ok(taken <= burst + due + 1e-3, `${taken} of ${burst + due}`);
        }
        // Emptied each time: all that came back meanwhile was taken, but for what did not fit.
        const fits = waits.reduce((sum, ms, at) => sum + (at === 0 ? 0 : Math.min(burst, (ms / 1000) * perSecond)), burst);
        assert.ok(taken >= Math.min(fits, waits.length * 30) - waits.length, `${taken} of ${fits}`);
      }),
      { numRuns: 100 },
    );
  });
});

describe('token buckets', () => {
  it('are one a subject, of a bounded number of subjects, the latest ones', () => {
    const buckets = tokenBuckets({ perSecond: 0.001, burst: 1, clock: movedClock(), mostSubjects: 2 });
    const take = (subject: string): boolean => buckets.of(subject).take() === true;
    assert.deepEqual([take('a'), take('b'), take('a'), take('c')], [true, true, false, true]);
    assert.deepEqual([buckets.size, take('a'), take('b')], [2, false, true], 'b was forgotten');
  });
});
