import { murmur3 } from './murmur3.ts';

/** How many buckets there are: a share can be told to a ten-thousandth of a percent. */
export const BUCKETS = 1_000_000;

/**
 * The bucket (0 to 999,999) of a subject, such as a customer's id: always the same for the same salt, spread evenly over the buckets,
 * and independent between salts. So an experiment, or a gateway rule, takes its own name for its salt, and a share of it is a range of
 * buckets: whoever is below 10,000 is in the first 1%, and stays in when the share grows.
 *
 * It is floor(h × 1,000,000 / 2³²), where h is MurmurHash3 (x86, 32 bits) of the subject in UTF-8, seeded with the same hash (seed 0)
 * of the salt: simple enough to be computed again elsewhere. Never change it: every subject would move.
 */
export function bucketOf(salt: string, subject: string): number {
  return bucketsOf(salt)(subject);
}

/** {@link bucketOf} for many subjects of one salt: about twice as fast. */
export function bucketsOf(salt: string): (subject: string) => number {
  const seed = murmur3(salt, 0);
  return (subject) => Math.floor((murmur3(subject, seed) * BUCKETS) / 2 ** 32);
}
