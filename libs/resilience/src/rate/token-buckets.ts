import { tokenBucket, type TokenBucket, type TokenBucketOptions } from './token-bucket.ts';

/** How buckets by subject are made. */
export interface TokenBucketsOptions extends TokenBucketOptions {
  /** Most subjects that are remembered (default 1,000): the one that was not seen for longest is forgotten, and has a full bucket when it comes back. */
  readonly mostSubjects?: number | undefined;
}

/** A token bucket for each subject, such as a caller. */
export interface TokenBuckets {
  /** The bucket of a subject; a full one for a new one. */
  of(subject: string): TokenBucket;
  /** How many subjects are remembered. */
  readonly size: number;
}

/** Makes empty memory of buckets. */
export function tokenBuckets({ mostSubjects = 1_000, ...each }: TokenBucketsOptions): TokenBuckets {
  // In the order of their last use.
  const buckets = new Map<string, TokenBucket>();
  let lastSubject: string | undefined;
  let last: TokenBucket | undefined;
  return {
    of(subject) {
      if (last && subject === lastSubject) return last;
      const bucket = buckets.get(subject) ?? tokenBucket(each);
      buckets.delete(subject);
      buckets.set(subject, bucket);
      if (buckets.size > mostSubjects) buckets.delete(buckets.keys().next().value as string);
      lastSubject = subject;
      return (last = bucket);
    },
    get size() {
      return buckets.size;
    },
  };
}
