import { BUCKETS } from '@talaria/base';

/** Buckets from the first up to, but not including, the second. */
export type BucketRange = readonly [from: number, to: number];

/** Which buckets get which variant; no bucket is in two ranges. */
export type Allocation = Readonly<Record<string, readonly BucketRange[]>>;

/** How many ranges an allocation may consist of: more than a hundred changes make, and quick to read. */
export const MAX_RANGES = 1000;

/** How many buckets some ranges have. */
export function bucketsIn(ranges: readonly BucketRange[]): number {
  return ranges.reduce((sum, [from, to]) => sum + to - from, 0);
}

/** The share of all buckets that each variant has, 0 to 1. */
export function sharesOf(allocation: Allocation): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(allocation).map(([variant, ranges]) => [variant, bucketsIn(ranges) / BUCKETS]));
}

/** Ranges in order, with those that touch joined. */
function tidy(ranges: readonly BucketRange[]): BucketRange[] {
  const joined: [number, number][] = [];
  for (const [from, to] of ranges.toSorted(([a], [b]) => a - b)) {
    const last = joined.at(-1);
    if (last && last[1] === from) last[1] = to;
    else if (to > from) joined.push([from, to]);
  }
  return joined;
}

/** What lies between ranges. */
function gaps(taken: readonly BucketRange[]): BucketRange[] {
  const free: BucketRange[] = [];
  let next = 0;
  for (const [from, to] of taken.toSorted(([a], [b]) => a - b)) {
    if (from > next) free.push([next, from]);
    next = Math.max(next, to);
  }
  if (next < BUCKETS) free.push([next, BUCKETS]);
  return free;
}

/** The first `count` buckets of some ranges, and the rest. */
function split(ranges: readonly BucketRange[], count: number): readonly [first: BucketRange[], rest: BucketRange[]] {
  const [first, rest]: [BucketRange[], BucketRange[]] = [[], []];
  let wanted = count;
  for (const [from, to] of ranges) {
    const cut = Math.min(from + wanted, to);
    if (cut > from) first.push([from, cut]);
    if (to > cut) rest.push([cut, to]);
    wanted -= cut - from;
  }
  return [first, rest];
}

/** A share that is a little less than what was meant, as 0.57 × 1,000,000 is, still means it. */
const ROUNDING = 1e-6;

/**
 * The allocation after which each variant has its share (0 to 1) of all buckets; those that are not named have none. Nobody
 * moves but whom it must: buckets leave a variant only as its share shrinks, the last ones first, and growing variants take
 * from what nobody has. So a subject stays where it is for as long as the share of its variant does not shrink, whatever
 * happens to the others. `taken`: buckets that are not to be had, as other experiments of the group have them.
 *
 * Throws a `RangeError` with one sentence for shares that are no shares, or more than there is.
 */
export function reallocate(current: Allocation, shares: Readonly<Record<string, number>>, taken: readonly BucketRange[] = []): Allocation {
  const wanted = Object.entries(shares).map(([variant, share]) => {
    if (!(share >= 0 && share <= 1)) throw new RangeError(`The share of ${variant} is ${share}: give a number from 0 to 1.`);
    return [variant, Math.floor(share * BUCKETS + ROUNDING)] as const;
  });
  const kept = new Map(wanted.map(([variant, count]) => [variant, split(tidy(current[variant] ?? []), count)[0]]));
  let free = gaps([...taken, ...[...kept.values()].flat()]);
  const all = wanted.reduce((sum, [, count]) => sum + count, 0);
  const available = bucketsIn(free) + bucketsIn([...kept.values()].flat());
  if (all > available) throw new RangeError(`The shares come to ${percent(all)}, and ${percent(available)} can be had: ask for less${taken.length > 0 ? ', or shrink another experiment of the group' : ''}.`);
  return Object.fromEntries(
    wanted.map(([variant, count]) => {
      const own = kept.get(variant) ?? [];
      const [more, rest] = split(free, count - bucketsIn(own));
      free = rest;
      return [variant, tidy([...own, ...more])];
    }),
  );
}

function percent(buckets: number): string {
  return `${Number(((buckets / BUCKETS) * 100).toFixed(4))}%`;
}

/** Two ranges that share a bucket, if there are any. */
export function overlap(ranges: readonly BucketRange[]): readonly [BucketRange, BucketRange] | undefined {
  const sorted = ranges.toSorted(([a], [b]) => a - b);
  for (let at = 1; at < sorted.length; at++) {
    const [before, after] = [sorted[at - 1] as BucketRange, sorted[at] as BucketRange];
    if (after[0] < before[1]) return [before, after];
  }
  return undefined;
}

/** Finds the variant that a bucket has. */
export function variantFinder(allocation: Allocation): (bucket: number) => string | undefined {
  const sorted = Object.entries(allocation)
    .flatMap(([variant, ranges]) => ranges.map(([from, to]) => ({ from, to, variant })))
    .sort((a, b) => a.from - b.from);
  return (bucket) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle]?.to ?? 0) <= bucket) low = middle + 1;
      else high = middle;
    }
    const found = sorted[low];
    return found && found.from <= bucket ? found.variant : undefined;
  };
}
