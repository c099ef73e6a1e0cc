import { createHistogram } from 'node:perf_hooks';

/** Times that were recorded. All are in milliseconds; each is 0 if none was recorded. */
export interface Latencies {
  readonly count: number;
  readonly meanMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** The time that `percent` (0 to 100) of the records do not exceed, to three digits (an HDR histogram). */
  percentileMs(percent: number): number;
}

/** Records times. */
export interface LatencyRecorder extends Latencies {
  /** Adds a time, in milliseconds; what is below a microsecond counts as one. */
  record(ms: number): void;
}

/** In microseconds: a day. What takes longer counts as that. */
const LONGEST = 86_400_000_000;

/** An empty recorder. `digits` (default 3) is how exact it is: two digits take a tenth of the memory. */
export function latencies(digits: 2 | 3 = 3): LatencyRecorder {
  const histogram = createHistogram({ lowest: 1, highest: LONGEST, figures: digits });
  // The histogram's own are rounded to its buckets: these two are known exactly.
  let min = 0;
  let max = 0;
  return {
    get count() {
      return histogram.count;
    },
    get meanMs() {
      return histogram.count === 0 ? 0 : histogram.mean / 1000;
    },
    get minMs() {
      return min;
    },
    get maxMs() {
      return max;
    },
    percentileMs: (percent) => (histogram.count === 0 ? 0 : Math.min(histogram.percentile(Math.max(percent, Number.MIN_VALUE)) / 1000, max)),
    record(ms) {
      const micros = Math.min(Math.max(1, Math.round(ms * 1000)), LONGEST);
      min = histogram.count === 0 ? micros / 1000 : Math.min(min, micros / 1000);
      max = Math.max(max, micros / 1000);
      histogram.record(micros);
    },
  };
}
