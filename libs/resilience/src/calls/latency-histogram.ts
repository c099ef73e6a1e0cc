/** Buckets an octave: a quantile is at most 9 % too high. */
const PER_OCTAVE = 8;
/** From 0.06 ms to more than a minute. */
const LOWEST_OCTAVE = -4;
const BUCKETS = 21 * PER_OCTAVE;
/** A quantile goes by the values of the last one to two of these. */
const GENERATION_MS = 5_000;
/** So long a quantile that was computed is good. */
const FRESH_MS = 250;
/** Below, a quantile means nothing. */
const FEWEST = 50;

/** How long the attempts of a method take, of the last 5 to 10 s. */
export interface LatencyHistogram {
  record(ms: number, now: number): void;
  /** So many of 100 took no longer, in ms; undefined while fewer than 50 are known. */
  quantile(which: 'p50' | 'p95' | 'p99', now: number): number | undefined;
}

function bucketOf(ms: number): number {
  const bucket = Math.ceil((Math.log2(ms) - LOWEST_OCTAVE) * PER_OCTAVE);
  return bucket > 0 ? Math.min(bucket, BUCKETS - 1) : 0;
}

const upperBound = (bucket: number): number => 2 ** (bucket / PER_OCTAVE + LOWEST_OCTAVE);

/** Makes an empty one: logarithmic buckets in two generations. `now` is in ms of a clock that never goes back. */
export function latencyHistogram(): LatencyHistogram {
  let young = new Uint32Array(BUCKETS);
  let old = new Uint32Array(BUCKETS);
  let youngCount = 0;
  let oldCount = 0;
  let generationEnds = -Infinity;
  let computedAt = -Infinity;
  const computed: { p50: number | undefined; p95: number | undefined; p99: number | undefined } = { p50: undefined, p95: undefined, p99: undefined };

  const age = (now: number): void => {
    if (now < generationEnds) return;
    const lapsed = now >= generationEnds + GENERATION_MS;
    [young, old] = [old.fill(0), young];
    oldCount = youngCount;
    youngCount = 0;
    if (lapsed) {
      old.fill(0);
      oldCount = 0;
    }
    generationEnds = now + GENERATION_MS;
  };

  const compute = (now: number): void => {
    computedAt = now;
    const count = youngCount + oldCount;
    computed.p50 = computed.p95 = computed.p99 = undefined;
    if (count < FEWEST) return;
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS && computed.p99 === undefined; bucket++) {
      seen += (young[bucket] as number) + (old[bucket] as number);
      if (computed.p50 === undefined && seen >= count * 0.5) computed.p50 = upperBound(bucket);
      if (computed.p95 === undefined && seen >= count * 0.95) computed.p95 = upperBound(bucket);
      if (seen >= count * 0.99) computed.p99 = upperBound(bucket);
    }
  };

  return {
    record(ms, now) {
      age(now);
      const bucket = bucketOf(ms);
      young[bucket] = (young[bucket] as number) + 1;
      youngCount++;
    },
    quantile(which, now) {
      if (now >= computedAt + FRESH_MS) {
        age(now);
        compute(now);
      }
      return computed[which];
    },
  };
}
