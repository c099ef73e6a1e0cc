import { setTimeout as pause } from 'node:timers/promises';

/** How patiently a condition is polled. */
export interface EventuallyOptions {
  /** Default 30,000: machines that run tests are slow at times. */
  readonly limitMs?: number;
  /** Default 20. */
  readonly intervalMs?: number;
}

/** Polls `condition` until it neither throws nor answers false, null or undefined, and gives what it answered. Rejects with its last error. */
export async function eventually<T>(condition: () => T | Promise<T>, { limitMs = 30_000, intervalMs = 20 }: EventuallyOptions = {}): Promise<NonNullable<T>> {
  const until = performance.now() + limitMs;
  for (;;) {
    let failure: unknown;
    try {
      const value = await condition();
      if (value !== false && value !== null && value !== undefined) return value;
      failure = new Error(`The condition answered ${String(value)}`);
    } catch (error) {
      failure = error;
    }
    if (performance.now() >= until) throw new Error(`Not within ${limitMs} ms: ${failure instanceof Error ? failure.message : String(failure)}`, { cause: failure });
    await pause(intervalMs);
  }
}
