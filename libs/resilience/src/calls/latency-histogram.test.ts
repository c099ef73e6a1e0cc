import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { latencyHistogram } from './latency-histogram.ts';

it('knows quantiles within 9 %, never too low', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0.1, max: 60_000, noNaN: true }), { minLength: 50, maxLength: 500 }), (values) => {
      const histogram = latencyHistogram();
      for (const value of values) histogram.record(value, 1);
      const sorted = values.toSorted((one, other) => one - other);
      for (const [name, share] of [['p50', 0.5], ['p95', 0.95], ['p99', 0.99]] as const) {
        const exact = sorted[Math.ceil(sorted.length * share) - 1] as number;
        const got = histogram.quantile(name, 1_000) as number;
        assert.ok(got >= exact * 0.999_999 && got <= exact * 1.091, `${name}: ${got} for ${exact}`);
      }
    }),
  );
});

it('says nothing of few values, and takes any', () => {
  const histogram = latencyHistogram();
  for (let count = 0; count < 49; count++) histogram.record(1, 0);
  assert.equal(histogram.quantile('p50', 0), undefined);
  for (const odd of [0, -1, NaN, Infinity, 1e12]) histogram.record(odd, 0);
  assert.ok(histogram.quantile('p50', 500));
});

it('forgets within 10 s', () => {
  const histogram = latencyHistogram();
  for (let count = 0; count < 1_000; count++) histogram.record(200, 0);
  for (let count = 0; count < 100; count++) histogram.record(2, 5_100);
  assert.ok((histogram.quantile('p50', 5_100) as number) > 100, 'not at once');
  for (let count = 0; count < 100; count++) histogram.record(2, 10_200);
  assert.ok((histogram.quantile('p99', 10_200) as number) < 3);
  assert.equal(histogram.quantile('p50', 60_000), undefined);
});
