import assert from 'node:assert/strict';
import { it } from 'node:test';
import { loadPlan } from './load-options.ts';

const given = { rate: '300', duration: '30s', as: 'dev', probe: true } as const;

it('reads rates, times and kinds', () => {
  assert.deepEqual(loadPlan(given), { rate: 300, durationMs: 30_000, warmupMs: 0, deadlineMs: undefined, arrivals: 'fixed', maxInFlight: 10_000 });
  assert.equal(loadPlan({ ...given, rate: '30/m' }).rate, 0.5);
  assert.equal(loadPlan({ ...given, rate: '0.5/s' }).rate, 0.5);
  assert.equal(loadPlan({ ...given, duration: '1h30m' }).durationMs, 5_400_000);
  assert.equal(loadPlan({ ...given, duration: '1.5' }).durationMs, 1_500);
  assert.equal(loadPlan({ ...given, deadline: '250ms' }).deadlineMs, 250);
  assert.equal(loadPlan({ ...given, arrivals: 'poisson' }).arrivals, 'poisson');
});

it('refuses others as a mistake of whoever wrote the command', () => {
  for (const wrong of [{ rate: '' }, { rate: '-1' }, { rate: '1e3' }, { rate: '5/h' }, { duration: '0' }, { duration: '0s' }, { duration: '-1s' }, { deadline: 'x' }, { maxInFlight: '1.5' }]) {
    assert.throws(() => loadPlan({ ...given, ...wrong }), { name: 'CliError', exitCode: 2 }, JSON.stringify(wrong));
  }
});
