/** Source: https://sre.google/sre-book/handling-overload/ has 2 minutes, go-zero 10 s. */
const WINDOW_MS = 10_000;
const BUCKETS = 20;
const BUCKET_MS = WINDOW_MS / BUCKETS;

/** How the calls of the last 10 s ended. */
export interface OutcomeWindow {
  readonly successes: number;
  readonly failures: number;
  /** Calls that were not sent. */
  readonly refusals: number;
  /** Forgets what is too old. */
  roll(now: number): void;
  success(now: number): void;
  failure(now: number): void;
  refusal(now: number): void;
  clear(): void;
}

/** Makes an empty one. `now` is in ms of a clock that never goes back. */
export function outcomeWindow(): OutcomeWindow {
  const kinds = 3;
  const counts = new Uint32Array(BUCKETS * kinds);
  const sums = [0, 0, 0];
  let tick = -Infinity;

  const roll = (now: number): void => {
    const reached = Math.floor(now / BUCKET_MS);
    if (reached <= tick) return;
    for (let old = Math.max(tick + 1, reached - BUCKETS + 1); old <= reached; old++) {
      const at = (((old % BUCKETS) + BUCKETS) % BUCKETS) * kinds;
      for (let kind = 0; kind < kinds; kind++) {
        sums[kind] = (sums[kind] as number) - (counts[at + kind] as number);
        counts[at + kind] = 0;
      }
    }
    tick = reached;
  };
  const add = (kind: number, now: number): void => {
    roll(now);
    const at = (((tick % BUCKETS) + BUCKETS) % BUCKETS) * kinds + kind;
    counts[at] = (counts[at] as number) + 1;
    sums[kind] = (sums[kind] as number) + 1;
  };
  return {
    get successes() {
      return sums[0] as number;
    },
    get failures() {
      return sums[1] as number;
    },
    get refusals() {
      return sums[2] as number;
    },
    roll,
    success: (now) => add(0, now),
    failure: (now) => add(1, now),
    refusal: (now) => add(2, now),
    clear() {
      counts.fill(0);
      sums.fill(0);
    },
  };
}
