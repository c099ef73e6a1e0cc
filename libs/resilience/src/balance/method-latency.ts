/** Added to every latency before two are compared, in ms: below it, differences are noise. */
const NOISE_MS = 2;
/** So many first samples are averaged. */
const FIRST = 16;
/** Then the typical time follows by this share of the difference, */
const STEP = 0.1;
/** but no sample moves it by more than this much, in log: what is rare does not count, however slow it is. */
const LONGEST_STEP = 0.05;
/** Before so many samples nothing is judged by it. */
const KNOWN_AFTER = 5;
/** The slowest answer is forgotten so fast, in ms to 1/e. */
const PEAK_MEMORY_MS = 10_000;

/** How long the calls of one method typically take, at all instances together: what each of them is measured by. */
export interface MethodLatency {
  samples: number;
  /** Of the typical time. */
  log: number;
  /** In ms. */
  typicalMs: number;
  /** The slowest answer of late, in ms. */
  peakMs: number;
  peakAt: number;
}

/** That of a method which nobody has answered yet. */
export function methodLatency(): MethodLatency {
  return { samples: 0, log: 0, typicalMs: 0, peakMs: 0, peakAt: 0 };
}

/** Learns from a success. */
export function learn(method: MethodLatency, ms: number, now: number): void {
  const log = Math.log(ms + NOISE_MS);
  const { samples } = method;
  const difference = log - method.log;
  method.log += samples < FIRST ? difference / (samples + 1) : Math.max(-LONGEST_STEP, Math.min(LONGEST_STEP, difference * STEP));
  method.samples = samples + 1;
  method.typicalMs = Math.max(0, Math.exp(method.log) - NOISE_MS);
  if (ms >= method.peakMs || ms >= peakOf(method, now)) {
    method.peakMs = ms;
    method.peakAt = now;
  }
}

/** The slowest answer of late, in ms. */
export function peakOf({ peakMs, peakAt }: MethodLatency, now: number): number {
  return peakMs * Math.exp((peakAt - now) / PEAK_MEMORY_MS);
}

/** Whether enough is known to judge by it. */
export function isKnown({ samples }: MethodLatency): boolean {
  return samples >= KNOWN_AFTER;
}

/** How many times as long as typical something took, in log. 0 while that is not known. */
export function slownessOf(method: MethodLatency, ms: number): number {
  return method.samples === 0 ? 0 : Math.log(ms + NOISE_MS) - method.log;
}

/** Whether something took much longer than is typical. Never while that is not known. */
export function isSlow(method: MethodLatency, ms: number, { slowFactor, slowByMs }: { readonly slowFactor: number; readonly slowByMs: number }): boolean {
  return isKnown(method) && ms > method.typicalMs * slowFactor && ms > method.typicalMs + slowByMs;
}
