import type { Cluster, Driver } from './cluster.ts';
import { DRIVE } from './one-of-three.ts';
import { now, pause } from './parent.ts';
import { during, median, percentile } from './record.ts';
import { errorCounts, type Row } from './row.ts';

/** How much more is offered than can be served. */
const TIMES = 3;
const CRITICAL = 0.2;
const REFUSED_MS = 20;
const RECOVERED_MS = 2_000;
const CALM_MS = 5_000;
/** Refusals are measured from here on, as often as this. */
const STEADY_MS = 2_000;
const PARTS = 3;

/** More calls than the instances have room for, for `overloadMs`; capacity is slots × fixed service time. */
export async function overload(driver: Driver, { capacity, healthyMs, overloadMs }: { readonly capacity: number; readonly healthyMs: number; readonly overloadMs: number }): Promise<Row> {
  const calm = { ...DRIVE, rate: capacity / 2, writes: 0, critical: CRITICAL };
  driver.drive(calm);
  await pause(healthyMs);
  const before = await driver.stop();
  const from = now();
  driver.drive({ ...calm, rate: TIMES * capacity });
  await pause(overloadMs);
  const hit = await driver.stop();
  const to = hit.reduce((last, { at }) => Math.max(last, at), from);
  driver.drive(calm);
  const calmFrom = now();
  await pause(CALM_MS);
  const after = await driver.stop();

  const served = hit.filter(({ error }) => error === '');
  const failed = hit.filter(({ error }) => error !== '');
  const goodput = served.filter(({ at, ms }) => at + ms <= to).length / ((to - from) / 1000) / capacity;
  const critical = hit.filter((call) => call.critical);
  const criticalServed = critical.filter(({ error }) => error === '').length / Math.max(1, critical.length);
  const refused = failed.filter(({ error }) => error.startsWith('rate_limited'));
  const partMs = (to - from - STEADY_MS) / PARTS;
  const parts = Array.from({ length: PARTS }, (_, part) => during(refused, from + STEADY_MS + part * partMs, from + STEADY_MS + (part + 1) * partMs));
  const refusedMs = median(parts.map((part) => (part.length === 0 ? 0 : percentile(part, 0.99))));
  const lastBad = after.filter(({ error }) => error !== '').reduce((last, { at, ms }) => Math.max(last, at + ms - calmFrom), 0);
  const ratio = percentile(during(after, calmFrom + RECOVERED_MS), 0.99) / percentile(before, 0.99);
  const missed = [
    ...(goodput < 0.9 ? [`goodput ${(goodput * 100).toFixed(0)}% of capacity, wanted 90%`] : []),
    ...(criticalServed < 0.99 ? [`${(criticalServed * 100).toFixed(1)}% of critical calls served, wanted 99%`] : []),
    ...(refusedMs > REFUSED_MS ? [`refusals took ${refusedMs.toFixed(1)} ms (p99), allowed ${REFUSED_MS}`] : []),
    ...(lastBad > RECOVERED_MS ? [`recovered after ${lastBad.toFixed(0)} ms, allowed ${RECOVERED_MS}`] : []),
  ];
  return {
    fault: `overload: ${TIMES}x capacity for ${Math.round(overloadMs / 1000)} s`,
    stack: 'talaria',
    calls: hit.length,
    failed: failed.length,
    errors: errorCounts(failed.map(({ error }) => error)),
    p50Ms: percentile(served, 0.5),
    p99Ms: percentile(served, 0.99),
    ratio,
    outMs: undefined,
    backMs: lastBad,
    notes: [`goodput ${(goodput * 100).toFixed(0)}% of capacity`, `critical served ${(criticalServed * 100).toFixed(2)}%`, `refusals p99 ${refusedMs.toFixed(1)} ms`],
    missed,
  };
}

/** The calls a second that a cluster can serve. */
export function capacityOf({ instances }: Cluster, { slots, serviceMs }: { readonly slots: number; readonly serviceMs: number }): number {
  return (instances.length * slots * 1000) / serviceMs;
}
