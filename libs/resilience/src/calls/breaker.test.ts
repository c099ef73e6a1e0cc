import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { breaker, type Breaker } from './breaker.ts';
import { DEFAULT_POLICY } from './policy-settings.ts';
import { seededRandom } from './testing/simulated-client.ts';
import type { Verdict } from './verdict.ts';

const policy = DEFAULT_POLICY.breaker;
const changes: string[] = [];
const made = (seed = 1): Breaker => breaker({ random: seededRandom(seed), onChange: (state) => void changes.push(state) });

/** One call after the other, `everyMs`; answers when calls went through. */
function calls(target: Breaker, from: number, count: number, everyMs: number, verdict: (index: number) => Verdict): number[] {
  const sent: number[] = [];
  for (let index = 0; index < count; index++) {
    const now = from + index * everyMs;
    const passage = target.enter(now, policy);
    if (passage === 'refused') continue;
    sent.push(now);
    target.over(now, verdict(index), passage, policy, now);
  }
  return sent;
}

describe('a breaker', () => {
  it('never refuses while all succeed or say nothing, however many and whenever', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ afterMs: fc.nat(5_000), neutral: fc.boolean() }), { maxLength: 200 }), fc.integer(), (some, seed) => {
        const target = made(seed);
        let now = 7;
        for (const { afterMs, neutral } of some) {
          now += afterMs;
          assert.equal(target.enter(now, policy), 'pass');
          target.over(now, neutral ? 'neutral' : 'success', 'pass', policy, 0);
        }
      }),
    );
  });

  it('refuses nothing below 20 failures in 10 s, whatever their order', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom<Verdict>('success', 'failure', 'neutral'), { maxLength: 19 }), (verdicts) => {
        const target = made();
        assert.equal(calls(target, 0, verdicts.length, 100, (index) => verdicts[index] as Verdict).length, verdicts.length);
        assert.equal(target.refuses(2_000, policy), false);
      }),
    );
    // Two a second, for ever: never 20 at a time are that young.
    assert.equal(calls(made(), 0, 500, 530, () => 'failure').length, 500);
  });

  it('lets a trial through at least each 1.5 s, whatever fails and however trials end', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer(), fc.double({ min: 0.9, max: 1, noNaN: true }), (everyMs, seed, failing) => {
        const target = made(seed);
        const random = seededRandom(seed + 1);
        const sent = calls(target, 0, Math.ceil(60_000 / everyMs), everyMs, () => (random() < failing ? 'failure' : 'success'));
        const gaps = sent.map((at, index) => at - (sent[index - 1] ?? 0));
        assert.ok(Math.max(...gaps) <= 1_500 + everyMs, `${Math.max(...gaps)} ms`);
      }),
    );
  });

  it('lets trials through though the last one never ends', () => {
    const target = made();
    calls(target, 0, 20, 1, () => 'failure');
    let trials = 0;
    for (let now = 20; now < 10_020; now += 5) if (target.enter(now, policy) === 'trial') trials++;
    assert.ok(trials >= 6 && trials <= 25, `${trials} trials`);
  });

  it('recovers within 2 s from whatever was, and forgets it', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom<Verdict>('success', 'failure', 'failure', 'failure'), fc.nat(30)), { maxLength: 400 }), fc.integer(), (before, seed) => {
        const target = made(seed);
        let now = 0;
        for (const [verdict, afterMs] of before) {
          now += afterMs;
          const passage = target.enter(now, policy);
          if (passage !== 'refused') target.over(now, verdict, passage, policy, now);
        }
        calls(target, now, 200, 10, () => 'success');
        assert.equal(target.refuses(now + 2_000, policy), false);
        assert.equal(calls(target, now + 2_000, 300, 10, () => 'success').length, 300);
      }),
      { numRuns: 200 },
    );
  });

  it('opens once and closes once, one call at a time in between', () => {
    changes.length = 0;
    const target = made();
    calls(target, 0, 20, 1, () => 'failure');
    assert.deepEqual([changes, target.describe(20, policy).state, target.enter(20, policy)], [['open'], 'open', 'refused']);
    let now = 20 + target.nextTrialMs(20);
    for (let trial = 1; trial <= 4; trial++) {
      assert.deepEqual([target.enter(now, policy), target.enter(now, policy)], ['trial', 'refused']);
      target.over((now += 1), 'success', 'trial', policy, now);
      assert.equal(target.describe(now, policy).state, trial < 4 ? 'half_open' : 'closed');
    }
    assert.deepEqual([changes, target.enter(now, policy)], [['open', 'closed'], 'pass']);
  });

  it('takes no notice of what began before it opened, and tries again at once when a trial has said nothing', () => {
    const target = made();
    calls(target, 0, 20, 1, () => 'failure');
    for (let late = 0; late < 10; late++) target.over(25, 'success', 'pass', policy, 0);
    assert.equal(target.describe(25, policy).state, 'open');
    target.tryNow();
    for (let trial = 0; trial < 5; trial++) {
      assert.equal(target.enter(30, policy), 'trial');
      target.over(30, 'neutral', 'trial', policy, 30);
    }
    assert.equal(target.describe(30, policy).state, 'open');
  });

  it('takes all that fail at the same moment for one failure: an instance that died, or a process that was held up', () => {
    const target = made();
    calls(target, 0, 300, 10, () => 'success');
    for (let call = 0; call < 200; call++) assert.equal(target.enter(3_000, policy), 'pass');
    for (let call = 0; call < 200; call++) target.over(4_000, 'failure', 'pass', policy, 3_000);
    assert.equal(target.refuses(4_000, policy), false);
    assert.equal(calls(target, 4_000, 300, 10, () => 'success').length, 300);
    // Those that come after fail, too.
    for (let call = 0; call < 200; call++) target.over(8_000, 'failure', 'pass', policy, 7_500);
    assert.equal(target.describe(8_000, policy).state, 'closed');
    target.over(8_010, 'failure', 'pass', policy, 8_001);
    assert.equal(target.describe(8_010, policy).state, 'open');
  });

  it('does as it is told', () => {
    const target = made();
    calls(target, 0, 30, 1, () => 'failure');
    assert.equal(target.enter(30, { ...policy, mode: 'closed' }), 'pass');
    const forced = made();
    assert.equal(forced.enter(0, { ...policy, mode: 'open' }), 'refused');
    assert.deepEqual(forced.describe(0, { ...policy, mode: 'open' }), { state: 'forced_open', rejectProbability: 1, consecutiveFailures: 0, rejected: 1 });
    assert.equal(forced.enter(0, policy), 'pass');
  });
});
