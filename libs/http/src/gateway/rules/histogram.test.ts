import assert from 'node:assert/strict';
import { it } from 'node:test';
import { histogram } from './histogram.ts';

it('a quantile is at most 2% off, from 0.1 ms to an hour', () => {
  for (const scale of [0.1, 1, 37, 1_000, 60_000, 3_000_000]) {
    const found = histogram();
    const durations = Array.from({ length: 1_000 }, (_, index) => scale * (1 + index / 5_000)).sort(() => Math.random() - 0.5);
    for (const one of durations) found.add(one);
    durations.sort((a, b) => a - b);
    for (const q of [0.5, 0.9, 0.99, 1]) {
      const exact = durations[Math.ceil(q * durations.length) - 1] ?? 0;
      assert.ok(Math.abs((found.quantile(q) ?? 0) / exact - 1) <= 0.021, `${String(scale)} ${String(q)}`);
    }
  }
});

it('knows nothing at first, and holds what is out of its range at its ends', () => {
  const found = histogram();
  assert.deepEqual([found.quantile(0.99), found.buckets()], [undefined, []]);
  for (const ms of [0, -1, 1e12]) found.add(ms);
  const buckets = found.buckets();
  assert.deepEqual(buckets.map(({ count }) => count), [2, 1]);
  assert.ok((buckets[1]?.upperMs ?? 0) >= 3_600_000);
});
