/** A pending timer. Calling it twice, or after it fired, does nothing. */
export type CancelTimer = () => void;

/** Where time comes from, so that tests can move it. */
export interface Clock {
  /** Milliseconds since the Unix epoch: for what people and other machines see. */
  now(): number;
  /** Milliseconds that never go back: for deadlines and durations. The origin means nothing. */
  monotonic(): number;
  /** Calls `callback` once, `ms` from now. `background` timers do not keep the process alive. */
  after(ms: number, callback: () => void, options?: { readonly background?: boolean }): CancelTimer;
}

/** setTimeout fires at once for anything longer. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** The time of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback, options = {}) {
    const timer = setTimeout(callback, Math.min(Math.max(ms, 0), LONGEST_TIMEOUT_MS));
    if (options.background) timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms`; rejects with the signal's reason if it aborts first. */
export function sleep(ms: number, options: { readonly clock?: Clock; readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
  const { clock = systemClock, signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason as Error);
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
