import { createHistogram } from 'node:perf_hooks';

/** What a stretch of load showed. */
export interface LoadResult {
  readonly calls: number;
  readonly failed: number;
  readonly seconds: number;
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Makes calls for `ms`, `concurrency` at a time (a closed loop: each begins when one ends). */
export async function load(call: (index: number) => Promise<unknown>, { concurrency, ms }: { readonly concurrency: number; readonly ms: number }): Promise<LoadResult> {
  const latency = createHistogram({ lowest: 1, highest: 60_000_000, figures: 3 });
  const started = performance.now();
  let [calls, failed] = [0, 0];
  const loop = async (): Promise<void> => {
    while (performance.now() - started < ms) {
      const begun = performance.now();
      try {
        await call(calls++);
      } catch {
        failed++;
      }
      latency.record(Math.max(1, Math.round((performance.now() - begun) * 1000)));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, loop));
  const seconds = (performance.now() - started) / 1000;
  return { calls, failed, seconds, callsPerSecond: calls / seconds, p50Ms: latency.percentile(50) / 1000, p99Ms: latency.percentile(99) / 1000 };
}

/** The middle one. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
