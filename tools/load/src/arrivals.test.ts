import assert from 'node:assert/strict';
import { it } from 'node:test';
import { arrivalTimes } from './arrivals.ts';

it('fixed arrivals are as many as the rate says, at equal distances', () => {
  assert.deepEqual([...arrivalTimes(4, 1_000, 'fixed')], [0, 250, 500, 750]);
  assert.equal([...arrivalTimes(333, 60_000, 'fixed')].length, 333 * 60);
  assert.equal([...arrivalTimes(0.5, 10_000, 'fixed')].length, 5);
});

it('poisson arrivals have the rate on the average, and distances that vary as much as they are long', () => {
  let state = 42;
  const random = (): number => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
  const times = [...arrivalTimes(100, 100_000, 'poisson', random)];
  assert.ok(Math.abs(times.length - 10_000) < 400, `${times.length}`);
  assert.ok(times.every((at, n) => at < 100_000 && at >= (times[n - 1] ?? 0)));
  const gaps = times.slice(1).map((at, n) => at - times[n]!);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
  assert.ok(Math.abs(deviation / mean - 1) < 0.1, `${deviation / mean}`);
});
