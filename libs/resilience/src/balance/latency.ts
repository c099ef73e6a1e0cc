import type { Instance } from './instance.ts';

/** How long a sample counts where there are few, in ms to 1/e. */
const MEMORY_MS = 10_000;
/** A rise counts at once: an instance that gets slow has to be noticed within a few calls (peak EWMA). */
const RISE = 1 / 8;
/** A fall counts less, so that the average lies among the slower ones of the answers. */
const FALL = 1 / 16;
/** Of the moving average that people see. */
const SHOWN = 1 / 16;
/** A failure counts as so many times the typical latency: the call has to be made once more, elsewhere. */
export const FAILURE_SLOWNESS = Math.log(5);

/**
 * Moves the average of an instance: an EWMA of its latency against what is typical for the method, so that an instance does not
 * look slow since it got the slow methods; of logarithms, so that one outlier does not look like a slow instance.
 */
export function addSlowness(instance: Instance, slowness: number, now: number): void {
  const byTime = 1 - Math.exp((instance.sampledAt - now) / MEMORY_MS);
  const difference = slowness - instance.slowness;
  instance.slowness += difference * Math.max(byTime, difference > 0 ? RISE : FALL);
  instance.sampledAt = now;
}

/** That it took at least so long. */
export function addAtLeast(instance: Instance, slowness: number, now: number): void {
  if (slowness > instance.slowness) addSlowness(instance, slowness, now);
}

/** Moves the average that people see. */
export function addLatency(instance: Instance, ms: number): void {
  instance.latencyMs = instance.latencyMs === undefined ? ms : instance.latencyMs + (ms - instance.latencyMs) * SHOWN;
}

/** One that nobody calls gets the benefit of the doubt, little by little, until it is asked again. */
export function fadeSlowness(instance: Instance, now: number): void {
  const idleMs = now - instance.sampledAt;
  if (idleMs < MEMORY_MS / 10 || instance.slowness <= 0) return;
  instance.slowness *= Math.exp(-idleMs / MEMORY_MS);
  instance.sampledAt = now;
}
