/** One call, as its caller saw it. Times in ms since 1970. */
export interface CallSeen {
  /** When it was meant to begin. */
  readonly at: number;
  /** From then until its answer. */
  readonly ms: number;
  /** Empty for a success. */
  readonly error: string;
  readonly critical: boolean;
  /** Which endpoints it was sent to, and when. */
  readonly attempts: readonly { readonly to: string; readonly at: number }[];
}

/** Those of calls that were meant to begin in a span. */
export function during(calls: readonly CallSeen[], from: number, to = Infinity): readonly CallSeen[] {
  return calls.filter(({ at }) => at >= from && at < to);
}

/** A percentile of how long calls took, in ms. */
export function percentile(calls: readonly CallSeen[], share: number): number {
  const sorted = calls.map(({ ms }) => ms).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** The share of the attempts in a span that went to an endpoint. */
export function shareOf(calls: readonly CallSeen[], endpoint: string, from: number, to: number): number {
  let [all, there] = [0, 0];
  for (const { attempts } of calls) {
    for (const { to: id, at } of attempts) {
      if (at < from || at >= to) continue;
      all++;
      if (id === endpoint) there++;
    }
  }
  return all === 0 ? 0 : there / all;
}

/** Below this share of the attempts an endpoint is out of rotation: what is left are probes. */
const OUT = 0.05;
/** From this share on it is back. */
const BACK = 0.2;
const STEP_MS = 50;
const WINDOW_MS = 1_000;

/** How long after `since` an endpoint got less than 5% of the attempts, and kept it so until `end`; in ms, undefined if it did not. */
export function outAfter(calls: readonly CallSeen[], endpoint: string, since: number, end: number): number | undefined {
  const attempts = calls.flatMap((call) => call.attempts).filter(({ at }) => at >= since && at < end);
  let out: number | undefined;
  for (let from = since; from + WINDOW_MS <= end; from += STEP_MS) {
    const inWindow = attempts.filter(({ at }) => at >= from && at < from + WINDOW_MS);
    const share = inWindow.filter(({ to }) => to === endpoint).length / Math.max(1, inWindow.length);
    if (share >= OUT) out = undefined;
    else out ??= from - since;
  }
  return out;
}

/** How long after `since` an endpoint got a fifth of the attempts again; in ms, undefined if it did not until `end`. */
export function backAfter(calls: readonly CallSeen[], endpoint: string, since: number, end: number): number | undefined {
  for (let from = since; from + WINDOW_MS <= end; from += STEP_MS) if (shareOf(calls, endpoint, from, from + WINDOW_MS) >= BACK) return from - since;
  return undefined;
}

/** The middle one. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
