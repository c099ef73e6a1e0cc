import type { Cluster, Driver } from './cluster.ts';
import { dataLost, withoutEtcd } from './faults.ts';
import { DRIVE } from './one-of-three.ts';
import { now, pause } from './parent.ts';
import { during, median, percentile, type CallSeen } from './record.ts';
import { errorCounts, type Row } from './row.ts';

/** Which may not be felt at all: p99 as before, and what '=' means. */
const SAME = 1.3;
/** How long a registration outlives its instance: the default of the registry. */
const TTL_MS = 10_000;
const WINDOWS = 3;

function row(fault: string, calls: readonly CallSeen[], from: number, to: number, notes: readonly string[], missed: readonly string[]): Row {
  const span = (to - from) / WINDOWS;
  const windows = Array.from({ length: WINDOWS }, (_, index) => during(calls, from + index * span, from + (index + 1) * span));
  const before = during(calls, 0, from);
  const hit = calls.filter(({ at, ms }) => at + ms >= from);
  const failures = hit.filter(({ error }) => error !== '').map(({ error }) => error);
  const p99Ms = median(windows.map((window) => percentile(window, 0.99)));
  const ratio = p99Ms / percentile(before, 0.99);
  return {
    fault,
    stack: 'talaria',
    calls: hit.length,
    failed: failures.length,
    errors: errorCounts(failures),
    p50Ms: median(windows.map((window) => percentile(window, 0.5))),
    p99Ms,
    ratio,
    outMs: undefined,
    backMs: undefined,
    notes,
    missed: [...(failures.length > 0 ? [`${failures.length} failed calls`] : []), ...(ratio > SAME ? [`p99 ${ratio.toFixed(2)}x, allowed ${SAME}x`] : []), ...missed],
  };
}

/** etcd is killed, and started again after `goneMs`. */
export async function etcdGone(cluster: Cluster, driver: Driver, { healthyMs, goneMs }: { readonly healthyMs: number; readonly goneMs: number }): Promise<Row> {
  await driver.take();
  await pause(healthyMs);
  const from = now();
  await withoutEtcd.begin(cluster, cluster.instances[0]!);
  await pause(goneMs);
  const to = now();
  await withoutEtcd.end(cluster, cluster.instances[0]!);
  await pause(2 * DRIVE.deadlineMs);
  return row(`${withoutEtcd.name} for ${Math.round(goneMs / 1000)} s`, await driver.take(), from, to, [], []);
}

/** etcd comes back with nothing in it. */
export async function etcdEmptied(cluster: Cluster, driver: Driver, { healthyMs, windowMs }: { readonly healthyMs: number; readonly windowMs: number }): Promise<Row> {
  await driver.take();
  await pause(healthyMs);
  const from = now();
  await dataLost.begin(cluster, cluster.instances[0]!);
  const lostAt = now();
  const isRegistered = async (): Promise<boolean> => (await Promise.all(cluster.instances.map(async (instance) => (await cluster.client.list(cluster.keyOf(instance)).catch(() => ({ entries: [] }))).entries.length > 0))).every(Boolean);
  while (!(await isRegistered()) && now() - lostAt < 10 * TTL_MS) await pause(50);
  const registeredMs = now() - lostAt;
  await pause(Math.max(0, WINDOWS * windowMs - (now() - from)));
  const to = now();
  await pause(2 * DRIVE.deadlineMs);
  const missed = registeredMs > 2 * TTL_MS ? [`registered again after ${registeredMs.toFixed(0)} ms, allowed ${2 * TTL_MS}`] : [];
  return row(dataLost.name, await driver.take(), from, to, [`registered again after ${(registeredMs / 1000).toFixed(1)} s`], missed);
}
