import { latencies, type LatencyRecorder } from './latencies.ts';
import type { SecondResult } from './result.ts';

/** The calls that were intended in one second, while some of them may still run. */
export interface Second {
  intended: number;
  succeeded: number;
  failed: number;
  dropped: number;
  /** Gone once it is summarised: a run of hours keeps numbers only. */
  latency: LatencyRecorder | undefined;
  summary: SecondResult | undefined;
}

/** An empty one. */
export function newSecond(): Second {
  return { intended: 0, succeeded: 0, failed: 0, dropped: 0, latency: latencies(2), summary: undefined };
}

/** The figures of a second of which no call runs any more, or (`unfinished`) whose last ones are given up. */
export function summarise(second: Second, index: number): SecondResult {
  if (second.summary) return second.summary;
  const { intended, succeeded, failed, dropped, latency } = second;
  second.summary = {
    atMs: index * 1000,
    intended,
    succeeded,
    failed,
    dropped,
    unfinished: intended - succeeded - failed - dropped,
    p50Ms: latency?.percentileMs(50) ?? 0,
    p90Ms: latency?.percentileMs(90) ?? 0,
    p99Ms: latency?.percentileMs(99) ?? 0,
    maxMs: latency?.maxMs ?? 0,
  };
  second.latency = undefined;
  return second.summary;
}
