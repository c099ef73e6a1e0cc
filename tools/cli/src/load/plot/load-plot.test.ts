import assert from 'node:assert/strict';
import { it } from 'node:test';
import { openLoop, type OpenLoopOptions } from '@talaria/load';
import { manualClock } from '@talaria/testing';
import { loadPlan } from '../load-options.ts';
import { loadPlot } from './load-plot.ts';
import { linearScale, logScale } from './scale.ts';

const plan = loadPlan({ rate: '100', duration: '3s', as: false, probe: false });

async function plotOf(call: OpenLoopOptions['call'], signal?: AbortSignal): Promise<string> {
  const clock = manualClock();
  let plot: string | undefined;
  const running = openLoop({ ...plan, call, clock, drainMs: 10, signal }).then((result) => (plot = loadPlot('a.v1.A<B>/C & D', result, plan)));
  for (let ms = 0; plot === undefined && ms < 60_000; ms += 50) await clock.advance(50);
  return running;
}

it('draws what was measured, in XML that any reader takes', async () => {
  const plot = await plotOf(async () => {});
  assert.match(plot, /a\.v1\.A&lt;B&gt;\/C &amp; D/);
  assert.match(plot, /300 calls, 100\/s wanted, 100\.0\/s made, over 3 s: 300 succeeded, 0 did not/);
  assert.match(plot, /prefers-color-scheme: dark/);
  assert.equal(plot.match(/<path class="line/g)?.length, 5);
  assert.doesNotMatch(plot, /class="bad"/);
});

it('shows when calls failed', async () => {
  const plot = await plotOf((n) => (n >= 100 && n < 150 ? Promise.reject(new Error('no')) : Promise.resolve()));
  assert.equal(plot.match(/<rect class="bad"/g)?.length, 1);
});

it('draws also what hardly began, and what had no answer', async () => {
  const ending = new AbortController();
  const early = await plotOf(async (n) => void (n === 3 && ending.abort()), ending.signal);
  const silent = await plotOf(() => new Promise(() => {}));
  for (const plot of [early, silent]) assert.doesNotMatch(plot, /NaN|Infinity|undefined/);
});

it('has round ticks', () => {
  assert.deepEqual(linearScale(0, 30, 0, 300, 10).ticks, [0, 5, 10, 15, 20, 25, 30]);
  assert.deepEqual(logScale(0.9, 1_200, 0, 1).ticks, [1, 10, 100, 1_000]);
  assert.deepEqual(logScale(0.9, 12, 0, 1).ticks, [1, 2, 5, 10]);
  assert.equal(logScale(1, 100, 0, 200).at(10), 100);
});
