import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { retryBudget } from './retry-budget.ts';

const steps = fc.array(fc.record({ afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 25_000 })), calls: fc.nat(40), wanted: fc.nat(80), hedges: fc.boolean() }), { maxLength: 60 });

it('is never exceeded, in any 10 s of any schedule', () => {
  fc.assert(
    fc.property(steps, fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 20, noNaN: true }), (schedule, ratio, perSecond) => {
      const budget = retryBudget();
      const policy = { ratio, per_second: perSecond };
      const calls: number[] = [];
      const spent: number[] = [];
      let now = 12_345;
      for (const { afterMs, calls: some, wanted, hedges } of schedule) {
        now += afterMs;
        for (let call = 0; call < some; call++) {
          budget.call(now);
          calls.push(now);
        }
        let taken = 0;
        while (taken < wanted && budget.take(now, policy, hedges ? 0.5 : 0)) taken++;
        for (let attempt = 0; attempt < taken; attempt++) spent.push(now);
        // Whole seconds are forgotten at a time, so that it looks back between 9 and 10 s.
        const within = (times: readonly number[], ms: number): number => times.filter((at) => at > now - ms).length;
        if (taken > 0) assert.ok(within(spent, 9_000) <= (ratio * within(calls, 10_000) + perSecond * 10) * (hedges ? 0.5 : 1) + 1e-6);
      }
    }),
    { numRuns: 300 },
  );
});

it('over any length of time is the ratio of the calls, and the constant', () => {
  fc.assert(
    fc.property(steps, (schedule) => {
      const budget = retryBudget();
      let [now, calls, spent] = [0, 0, 0];
      for (const { afterMs, calls: some, wanted } of schedule) {
        now += afterMs;
        calls += some;
        for (let call = 0; call < some; call++) budget.call(now);
        for (let attempt = 0; attempt < wanted; attempt++) if (budget.take(now, { ratio: 0.2, per_second: 3 })) spent++;
      }
      assert.ok(spent <= 0.2 * calls + 3 * (now / 1_000 + 10) * (10 / 9) + 1e-6, `${spent} for ${calls} calls in ${now} ms`);
    }),
  );
});

it('is there again after it was used up, and hedges leave half of it', () => {
  const budget = retryBudget();
  const policy = { ratio: 0.2, per_second: 3 };
  const takes = (now: number, reserve?: number): number => {
    let taken = 0;
    while (budget.take(now, policy, reserve)) taken++;
    return taken;
  };
  for (let call = 0; call < 100; call++) budget.call(0);
  assert.equal(budget.left(0, policy), 50);
  assert.equal(takes(0, 0.5), 25);
  assert.equal(takes(0), 25);
  assert.equal(budget.left(0, policy), 0);
  assert.equal(takes(9_999), 0);
  assert.equal(takes(10_000), 30);
});
