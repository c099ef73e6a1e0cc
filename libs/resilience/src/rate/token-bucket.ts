import { systemClock, type Clock } from '@talaria/base';

/** How a token bucket is made. */
export interface TokenBucketOptions {
  /** Tokens a second; above 0. */
  readonly perSecond: number;
  /** Most tokens at once, at least 1; it begins with as many. Default: those of one second, at least one. */
  readonly burst?: number | undefined;
  /** Default: the time of this machine. */
  readonly clock?: Clock | undefined;
}

/** Lets so many through a second. A few numbers, whatever the rate (GCRA, ITU-T I.371). */
export interface TokenBucket {
  /** Takes `n` tokens (default 1) if they are there now: true, or in how many ms they will be (`Infinity` for more than the burst). */
  take(n?: number): true | number;
  /**
   * Takes `n` tokens (default 1) now or later, in the order of the asking: how many ms to wait for them, 0 if they are there.
   * Undefined, and nothing is taken, if that were more than `mostMs` (default: no limit).
   */
  reserve(n?: number, mostMs?: number): number | undefined;
  /** Puts `n` tokens (default 1) back that were taken and not used. */
  giveBack(n?: number): void;
  /** Whole tokens that are there now. */
  readonly left: number;
}

/** Makes a full one. Throws a `RangeError` for a rate that is not above 0 and a burst below 1. */
export function tokenBucket({ perSecond, burst = Math.max(1, perSecond), clock = systemClock }: TokenBucketOptions): TokenBucket {
  if (!(perSecond > 0) || !(burst >= 1)) throw new RangeError(`A token bucket of ${perSecond} a second and a burst of ${burst} lets nothing through: set a rate above 0 and a burst of 1 or more`);
  const msEach = 1000 / perSecond;
  const depthMs = burst * msEach;
  // When the bucket is full again; never later than all tokens that were taken take to come back. A rounding error of the
  // sums must not cost a token.
  const slackMs = msEach * 1e-6;
  let fullAt = -Infinity;

  const reserve = (n = 1, mostMs = Infinity): number | undefined => {
    const now = clock.monotonic();
    const next = Math.max(fullAt, now) + n * msEach;
    const waitMs = next - now - depthMs;
    if (waitMs > slackMs && waitMs > mostMs) return undefined;
    fullAt = next;
    return waitMs > slackMs ? waitMs : 0;
  };
  return {
    take(n = 1) {
      if (n > burst) return Infinity;
      const now = clock.monotonic();
      const next = Math.max(fullAt, now) + n * msEach;
      const waitMs = next - now - depthMs;
      if (waitMs > slackMs) return waitMs;
      fullAt = next;
      return true;
    },
    reserve,
    giveBack(n = 1) {
      fullAt -= n * msEach;
    },
    get left() {
      const now = clock.monotonic();
      return Math.max(0, Math.floor((depthMs - Math.max(0, fullAt - now) + slackMs) / msEach));
    },
  };
}
