import { type Clock } from '@talaria/base';

/** What became of a call that a bucket was asked for. */
export interface Take {
  readonly taken: boolean;
  /** Whole calls that may be made at once now. */
  readonly left: number;
  /** How long until the next call may be made; 0 if one may be made now. */
  readonly waitMs: number;
  /** How long until one call more may be made than `left` says. */
  readonly moreMs: number;
}

/** Token buckets, one a subject. */
export interface TokenBuckets {
  /** Takes a token from a subject's bucket, if there is one. */
  take(subject: string): Take;
  /** How many subjects are remembered. */
  readonly size: number;
}

/** How buckets are made. */
export interface TokenBucketOptions {
  /** Tokens a second. */
  readonly rate: number;
  /** Most tokens in a bucket; it begins with as many. */
  readonly burst: number;
  readonly clock: Clock;
  /** Most subjects that are remembered; the one that was not seen for the longest time is forgotten, and has a full bucket when it comes back. */
  readonly mostSubjects: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Makes empty memory of buckets. */
export function tokenBuckets({ rate, burst, clock, mostSubjects }: TokenBucketOptions): TokenBuckets {
  // In the order of their last use.
  const buckets = new Map<string, Bucket>();
  return {
    take(subject) {
      const now = clock.monotonic();
      const before = buckets.get(subject);
      const tokens = before ? Math.min(burst, before.tokens + ((now - before.at) / 1000) * rate) : burst;
      const taken = tokens >= 1;
      const left = taken ? tokens - 1 : tokens;
      buckets.delete(subject);
      buckets.set(subject, { tokens: left, at: now });
      if (buckets.size > mostSubjects) buckets.delete(buckets.keys().next().value as string);
      const moreMs = ((Math.floor(left) + 1 - left) / rate) * 1000;
      return { taken, left: Math.floor(left), waitMs: left >= 1 ? 0 : moreMs, moreMs };
    },
    get size() {
      return buckets.size;
    },
  };
}
