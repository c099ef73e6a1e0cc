import { type Clock } from '@talaria/base';

/** Runs `work` with a signal that aborts after `limitMs`, and stops waiting then even if `work` does not heed it. */
export async function withLimit<T>(clock: Clock, limitMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const cancel = clock.after(limitMs, () => controller.abort(new Error(`no answer within ${limitMs} ms`)));
  try {
    return await withSignal(work(controller.signal), controller.signal);
  } finally {
    cancel();
  }
}

/** Waits for `promise`, but no longer than until `signal` aborts; what the promise stands for goes on. */
export function withSignal<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
