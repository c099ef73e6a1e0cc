import type { MethodLatency } from './method-latency.ts';

/** An attempt that has not ended. */
export interface OpenAttempt {
  /** When it was picked, on the clock of the picker. */
  readonly at: number;
  readonly method: MethodLatency;
  /** It had to wait for its connection, so that its time says nothing of the instance. */
  readonly cold: boolean;
}

/**
 * Takes the attempt out that began `at`, as far as its caller can tell; they are in the order in which they began. Undefined if
 * there is none of this method.
 */
export function takeAttempt(open: OpenAttempt[], method: MethodLatency, at: number): OpenAttempt | undefined {
  let low = 0;
  let high = open.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((open[middle] as OpenAttempt).at < at) low = middle + 1;
    else high = middle;
  }
  let before = low - 1;
  let after = low;
  while (before >= 0 && (open[before] as OpenAttempt).method !== method) before--;
  while (after < open.length && (open[after] as OpenAttempt).method !== method) after++;
  const earlier = open[before];
  const later = open[after];
  if (!earlier && !later) return undefined;
  const found = !later || (earlier && at - earlier.at <= later.at - at) ? before : after;
  return open.splice(found, 1)[0];
}
