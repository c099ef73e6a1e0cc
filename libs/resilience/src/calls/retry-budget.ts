import type { Budget } from './policy-settings.ts';

/** How far back a budget looks. As Finagle and linkerd have it. */
const WINDOW_MS = 10_000;
const BUCKETS = 10;
const BUCKET_MS = WINDOW_MS / BUCKETS;

/**
 * How many attempts besides the first ones may be made: in the last 10 s never more than `ratio` of the calls in these, and
 * `per_second` a second besides. So calls that fail multiply by 1.2 at most, however many hops and clients there are.
 */
export interface RetryBudget {
  /** A call begins. */
  call(now: number): void;
  /** Takes one attempt, if it is there. With `reserve`, only if more than this share of what is allowed would be left. */
  take(now: number, budget: Budget, reserve?: number): boolean;
  /** Attempts that are left now. */
  left(now: number, budget: Budget): number;
}

/** Makes an unused one. `now` is in ms of a clock that never goes back. */
export function retryBudget(): RetryBudget {
  const calls = new Uint32Array(BUCKETS);
  const spent = new Uint32Array(BUCKETS);
  let allCalls = 0;
  let allSpent = 0;
  let at = -Infinity;

  /** Forgets what is older than the window; answers the bucket of now. */
  const bucketOf = (now: number): number => {
    const tick = Math.floor(now / BUCKET_MS);
    if (tick > at) {
      for (let old = Math.max(at + 1, tick - BUCKETS + 1); old <= tick; old++) {
        const slot = ((old % BUCKETS) + BUCKETS) % BUCKETS;
        allCalls -= calls[slot] as number;
        allSpent -= spent[slot] as number;
        calls[slot] = spent[slot] = 0;
      }
      at = tick;
    }
    return ((at % BUCKETS) + BUCKETS) % BUCKETS;
  };
  const allowed = ({ ratio, per_second }: Budget): number => ratio * allCalls + (per_second * WINDOW_MS) / 1000;

  return {
    call(now) {
      const slot = bucketOf(now);
      calls[slot] = (calls[slot] as number) + 1;
      allCalls++;
    },
    take(now, budget, reserve = 0) {
      const slot = bucketOf(now);
      if (allSpent + 1 > allowed(budget) * (1 - reserve)) return false;
      spent[slot] = (spent[slot] as number) + 1;
      allSpent++;
      return true;
    },
    left(now, budget) {
      bucketOf(now);
      return Math.max(0, Math.floor(allowed(budget) - allSpent));
    },
  };
}
