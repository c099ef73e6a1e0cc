import type { Cluster, Driver } from './cluster.ts';
import { broken } from './faults.ts';
import { now, pause } from './parent.ts';
import { during, percentile } from './record.ts';
import { errorCounts, type Row } from './row.ts';

const AMPLIFIED = 1.25;
const LOCAL_AFTER_MS = 2_000;
const LOCAL = 0.9;

/** Every instance fails every call: how many calls still reach them, and how many are answered without. Measured for one driver at a time. */
export async function retryStorm(cluster: Cluster, stack: Row['stack'], driver: Driver, { stormMs }: { readonly stormMs: number }): Promise<Row> {
  const served = async (): Promise<number> => (await Promise.all(cluster.instances.map((instance) => instance.served()))).reduce((sum, each) => sum + each, 0);
  await driver.take();
  const before = await served();
  const from = now();
  await Promise.all(cluster.instances.map((instance) => broken.begin(cluster, instance)));
  await pause(stormMs);
  const reached = (await served()) - before;
  const calls = during(await driver.take(), from);
  await Promise.all(cluster.instances.map((instance) => broken.end(cluster, instance)));
  const healedAt = now();
  let backMs: number | undefined;
  for (let seen = calls; backMs === undefined && now() - healedAt < 30_000; ) {
    await pause(250);
    seen = await driver.take();
    if (seen.length > 0 && seen.filter(({ error }) => error === '').length > seen.length * 0.95) backMs = now() - healedAt;
  }
  const amplified = reached / calls.length;
  const later = during(calls, from + LOCAL_AFTER_MS);
  const local = later.filter(({ attempts }) => attempts.length === 0).length / Math.max(1, later.length);
  const missed = [
    ...(amplified > AMPLIFIED ? [`${amplified.toFixed(2)}x the calls reached it, allowed ${AMPLIFIED}x`] : []),
    ...(local < LOCAL ? [`${(local * 100).toFixed(0)}% answered locally after ${LOCAL_AFTER_MS} ms, wanted ${LOCAL * 100}%`] : []),
  ];
  const failures = calls.filter(({ error }) => error !== '').map(({ error }) => error);
  return {
    fault: 'all instances fail 100% (retry storm)',
    stack,
    calls: calls.length,
    failed: failures.length,
    errors: errorCounts(failures),
    p50Ms: percentile(calls, 0.5),
    p99Ms: percentile(calls, 0.99),
    ratio: Number.NaN,
    outMs: undefined,
    backMs,
    notes: [`${amplified.toFixed(2)}x the offered calls reached it`, ...(stack === 'talaria' ? [`${(local * 100).toFixed(0)}% answered locally after 2 s`] : [])],
    missed: stack === 'talaria' ? missed : [],
  };
}
