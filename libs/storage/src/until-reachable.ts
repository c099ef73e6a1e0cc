import { sleep } from '@talaria/base';
import { runInCall } from '@talaria/context';
import { isTransient } from './database-error.ts';

const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 1000;

/** Repeats `fn` while the database cannot be reached. Rejects with other errors, and when `signal` aborts. */
export async function untilReachable<T>(fn: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    signal.throwIfAborted();
    try {
      return await runInCall({ signal }, fn);
    } catch (error) {
      if (!isTransient(error)) throw error;
    }
    await sleep(pause, { signal });
  }
}
