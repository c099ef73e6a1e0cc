import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';

/** Milliseconds since 1970 with fractions, the same in all processes of a machine. */
export const now = (): number => performance.timeOrigin + performance.now();

/** Waits for `ms`. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until `at`, in ms since 1970. */
export const pauseUntil = (at: number): Promise<void> => pause(Math.max(0, at - now()));

/** Waits for what a child says; rejects when it ends instead. */
export async function said<T>(child: ChildProcess, which: (message: unknown) => message is T): Promise<T> {
  const ended = new AbortController();
  const onExit = (code: number | null, signal: string | null): void => ended.abort(new Error(`a process ended with ${signal ?? code}`));
  child.once('exit', onExit);
  try {
    for (;;) {
      const [message] = (await once(child, 'message', { signal: ended.signal })) as [unknown];
      if (which(message)) return message;
    }
  } catch (error) {
    throw ended.signal.aborted ? (ended.signal.reason as Error) : error;
  } finally {
    child.off('exit', onExit);
  }
}

/** Ends a child with a signal and waits until it is gone. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}
