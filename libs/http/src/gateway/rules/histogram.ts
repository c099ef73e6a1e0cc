/** Each bucket ends 4% above the one before: a quantile is at most 2% off. */
const GROWTH = 1.04;
const LOG_GROWTH = Math.log(GROWTH);
/** What is faster counts as this fast, in ms. */
const FIRST_MS = 0.05;
/** An hour; what is slower counts as this slow. */
const LAST = Math.ceil(Math.log(3_600_000 / FIRST_MS) / LOG_GROWTH);

/** How many durations lie in a bucket: above the bucket before, and at most `upperMs`. */
export interface HistogramBucket {
  readonly upperMs: number;
  readonly count: number;
}

/** Durations, counted in buckets that grow by a constant factor, after HdrHistogram's idea. */
export interface Histogram {
  add(ms: number): void;
  /** The bucket of a quantile (0..1), as the middle of the bucket, in ms; undefined when nothing was added. */
  quantile(q: number): number | undefined;
  /** The buckets that are not empty, in order. */
  buckets(): readonly HistogramBucket[];
}

const upperOf = (index: number): number => FIRST_MS * GROWTH ** index;

/** Makes an empty one. */
export function histogram(): Histogram {
  const counts = new Map<number, number>();
  let total = 0;
  const ordered = (): readonly (readonly [number, number])[] => [...counts].sort(([a], [b]) => a - b);
  return {
    add(ms) {
      const index = ms <= FIRST_MS ? 0 : Math.min(LAST, Math.ceil(Math.log(ms / FIRST_MS) / LOG_GROWTH));
      counts.set(index, (counts.get(index) ?? 0) + 1);
      total++;
    },
    quantile(q) {
      const rank = Math.max(1, Math.ceil(q * total));
      let seen = 0;
      for (const [index, count] of ordered()) {
        seen += count;
        if (seen >= rank) return upperOf(index) / Math.sqrt(GROWTH);
      }
      return undefined;
    },
    buckets: () => ordered().map(([index, count]) => ({ upperMs: upperOf(index), count })),
  };
}
