import type { Clock } from '@talaria/base';
import type { RateSettings } from '../calls/policy-settings.ts';
import { tokenBuckets } from '../rate/token-buckets.ts';

/** What becomes of a call at a rate: it goes at once, after `waitMs`, or not; then `retryMs` says when it may be tried again. */
export type Passage = { readonly waitMs: number; over(used: boolean): void } | { readonly retryMs: number };

/** Lets calls through at a rate, each caller's by itself. */
export interface RateGate {
  /** True: at once. `mostMs`: the longest that it is worth to wait. */
  pass(caller: string, mostMs: number): true | Passage;
  /** Takes back a passage that was given at once. */
  undo(caller: string): void;
}

/** Makes a gate; undefined where the settings limit nothing. */
export function rateGate({ per_second: perSecond = 0, burst, wait = false, max_waiting: mostWaiting = 1_000 }: RateSettings, clock: Clock | undefined): RateGate | undefined {
  if (!(perSecond > 0)) return undefined;
  const buckets = tokenBuckets({ perSecond, burst: burst === undefined ? undefined : Math.max(1, burst), clock });
  let waiting = 0;
  return {
    pass(caller, mostMs) {
      const bucket = buckets.of(caller);
      const free = bucket.take();
      if (free === true) return true;
      const waitMs = wait && waiting < mostWaiting ? bucket.reserve(1, mostMs) : undefined;
      if (waitMs === undefined) return { retryMs: free };
      waiting++;
      return {
        waitMs,
        over(used) {
          waiting--;
          if (!used) bucket.giveBack();
        },
      };
    },
    undo: (caller) => buckets.of(caller).giveBack(),
  };
}
