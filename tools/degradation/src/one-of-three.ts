import type { Cluster, Driver } from './cluster.ts';
import type { Drive } from './driver.ts';
import type { Fault } from './faults.ts';
import { now, pause, pauseUntil } from './parent.ts';
import { backAfter, during, median, outAfter, percentile, type CallSeen } from './record.ts';
import { errorCounts, type Row } from './row.ts';

/** What a fault of one of three may do to its callers at most. */
export interface Bars {
  /** p99 against that of the same rounds before the fault. */
  readonly ratio: number;
  /** Until the instance is out of rotation, in ms; undefined: it is not to go. p99 counts from then on. */
  readonly outMs: number | undefined;
  /** Errors that are answers, and no failures. */
  readonly answers?: readonly string[];
}

/** How long is measured. */
export interface Spans {
  readonly rounds: number;
  readonly healthyMs: number;
  readonly windowMs: number;
}

/** How the callers call. */
export const DRIVE: Drive = { rate: 300, writes: 30, deadlineMs: 1_000 };

const BACK_LIMIT_MS = 30_000;
const STEP_MS = 500;

interface Round {
  readonly calls: readonly CallSeen[];
  readonly from: number;
  readonly windowFrom: number;
  readonly windowTo: number;
  readonly healedAt: number;
  readonly end: number;
}

/** Lets a fault befall one of three instances while the drivers drive, and measures what they notice. */
export async function oneOfThree(cluster: Cluster, drivers: Readonly<Record<string, Driver>>, fault: Fault, bars: Bars, spans: Spans): Promise<Row[]> {
  const victim = cluster.instances[0];
  if (!victim) throw new Error('There is no instance to befall.');
  const names = Object.keys(drivers);
  const rounds = new Map<string, Round[]>(names.map((name) => [name, []]));
  for (let round = 0; round < spans.rounds; round++) {
    const calls = new Map<string, CallSeen[]>(names.map((name) => [name, []]));
    const take = async (): Promise<void> => {
      for (const name of names) calls.get(name)?.push(...((await drivers[name]?.take()) ?? []));
    };
    await take();
    for (const seen of calls.values()) seen.length = 0;
    await pause(spans.healthyMs);
    const from = now();
    await fault.begin(cluster, victim);
    const windowFrom = from + (bars.outMs ?? 0);
    await pauseUntil(Math.max(windowFrom + spans.windowMs, now()));
    const windowTo = now();
    await fault.end(cluster, victim);
    const healedAt = now();
    const isBack = (): boolean => names.every((name) => backAfter(calls.get(name) ?? [], victim.endpoint, healedAt, now()) !== undefined);
    do {
      await pause(STEP_MS);
      await take();
    } while (now() - healedAt < Math.max(2 * DRIVE.deadlineMs, bars.outMs === undefined ? 0 : STEP_MS) || (!isBack() && now() - healedAt < BACK_LIMIT_MS));
    for (const name of names) rounds.get(name)?.push({ calls: calls.get(name) ?? [], from, windowFrom, windowTo, healedAt, end: now() });
  }
  return names.map((name) => summary(name as Row['stack'], fault, bars, victim.endpoint, rounds.get(name) ?? []));
}

function summary(stack: Row['stack'], fault: Fault, bars: Bars, endpoint: string, rounds: readonly Round[]): Row {
  const windows = rounds.map(({ calls, windowFrom, windowTo }) => during(calls, windowFrom, windowTo));
  // All rounds together, since p99 of a few seconds is mostly chance.
  const healthy = rounds.flatMap(({ calls, from }) => during(calls, 0, from));
  const hit = rounds.flatMap(({ calls, from }) => calls.filter(({ at, ms }) => at + ms >= from));
  const failures = hit.filter(({ error }) => error !== '' && !bars.answers?.includes(error)).map(({ error }) => error);
  const outs = bars.outMs === undefined ? [] : rounds.map(({ calls, from, windowTo }) => outAfter(calls, endpoint, from, windowTo));
  const backs = rounds.map(({ calls, healedAt, end }) => backAfter(calls, endpoint, healedAt, end));
  const p99Ms = median(windows.map((window) => percentile(window, 0.99)));
  const ratio = p99Ms / percentile(healthy, 0.99);
  const outMs = outs.length === 0 || outs.includes(undefined) ? undefined : median(outs as number[]);
  const missed = [
    ...(failures.length > 0 ? [`${failures.length} failed calls`] : []),
    ...(ratio > bars.ratio ? [`p99 ${ratio.toFixed(2)}x, allowed ${bars.ratio}x`] : []),
    ...(bars.outMs !== undefined && !(outMs !== undefined && outMs <= bars.outMs) ? [outMs === undefined ? 'never out of rotation' : `out after ${outMs.toFixed(0)} ms, allowed ${bars.outMs}`] : []),
  ];
  return {
    fault: fault.name,
    stack,
    calls: hit.length,
    failed: failures.length,
    errors: errorCounts(failures),
    p50Ms: median(windows.map((window) => percentile(window, 0.5))),
    p99Ms,
    ratio,
    outMs,
    backMs: backs.includes(undefined) ? undefined : median(backs as number[]),
    notes: [],
    missed: stack === 'talaria' ? missed : [],
  };
}
