import type { DriverOptions } from './driver.ts';

/** What was measured under one fault, for one way of calling. */
export interface Row {
  readonly fault: string;
  readonly stack: DriverOptions['kind'];
  readonly calls: number;
  readonly failed: number;
  /** What they failed with, and how often. */
  readonly errors: Readonly<Record<string, number>>;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** p99 against that before the fault, in the same round. */
  readonly ratio: number;
  /** Until the instance was out of rotation, in ms; undefined where that is not asked or did not happen. */
  readonly outMs: number | undefined;
  /** Until it was back after the fault had ended. */
  readonly backMs: number | undefined;
  /** More that this fault is judged by. */
  readonly notes: readonly string[];
  /** The bars that were missed; empty for a stack that is only there to compare. */
  readonly missed: readonly string[];
}

/** How often each error came. */
export function errorCounts(errors: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const error of errors) counts[error] = (counts[error] ?? 0) + 1;
  return counts;
}
