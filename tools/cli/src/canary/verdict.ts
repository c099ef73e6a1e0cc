import { quantile, slowerThan, type Compared, type Figures } from './figures.ts';

/** When a version counts as worse. */
export interface Limits {
  /** How much greater the share of failed calls may be: 0.01 is one in a hundred. */
  readonly maxErrorIncrease: number;
  /** How many times as long the slowest hundredth of its calls may take. */
  readonly maxP99Ratio: number;
  /** Fewer calls, of either side, say nothing. */
  readonly minCalls: number;
}

/** Differences smaller than this are noise of machines, in ms. */
const P99_SLACK_MS = 5;
/** Standard deviations by which a difference must exceed chance: in one of 100 comparisons of equals it does (one-sided). */
export const AT_THE_END = 2.33;
/** The same for comparisons that are made again and again meanwhile: in one of 1,000. */
export const MEANWHILE = 3.09;

/** By how many standard deviations the share of `a` exceeds that of `b`, were both of one kind (the pooled two-proportion test). */
export function excess(a: number, ofA: number, b: number, ofB: number): number {
  if (ofA === 0 || ofB === 0) return 0;
  const pooled = (a + b) / (ofA + ofB);
  const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / ofA + 1 / ofB));
  return deviation === 0 ? 0 : (a / ofA - b / ofB) / deviation;
}

/** 0.0312 → `3.1%`. */
export const percent = (share: number): string => `${(share * 100).toFixed(1)}%`;
/** In ms, as precisely as people want it. */
export const ms = (value: number | undefined): string => (value === undefined ? 'unknown' : `${value < 10 ? value.toFixed(1) : String(Math.round(value))} ms`);

/** The share of calls that failed. */
export const errorRate = ({ calls, errors }: Figures): number => (calls === 0 ? 0 : errors / calls);

/** Whether there are enough calls of both to be compared. */
export function isEnough({ canary, others }: Compared, { minCalls }: Pick<Limits, 'minCalls'>): boolean {
  return canary.calls >= minCalls && others.calls >= minCalls;
}

/** Why the version is worse, in one sentence's words; undefined if it is not, or too little is known. */
export function worse(both: Compared, limits: Limits, deviations: number): string | undefined {
  const { service, canary, others } = both;
  if (!isEnough(both, limits)) return undefined;
  const [failing, usual] = [errorRate(canary), errorRate(others)];
  if (failing - usual > limits.maxErrorIncrease && excess(canary.errors, canary.calls, others.errors, others.calls) >= deviations) {
    return `${percent(failing)} of ${String(canary.calls)} calls of ${service} failed, and ${percent(usual)} of ${String(others.calls)} with other versions`;
  }
  const [slow, usualSlow] = [quantile(canary, 0.99), quantile(others, 0.99)];
  if (slow === undefined || usualSlow === undefined) return undefined;
  const limit = Math.max(usualSlow * limits.maxP99Ratio, usualSlow + P99_SLACK_MS);
  const [beyond, usually] = [slowerThan(canary, limit), slowerThan(others, limit)];
  if (slow > limit && excess(beyond.slower, beyond.of, usually.slower, usually.of) >= deviations) {
    return `the p99 of ${String(beyond.of)} calls of ${service} was ${ms(slow)}, and ${ms(usualSlow)} with other versions`;
  }
  return undefined;
}
