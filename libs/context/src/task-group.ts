import { systemClock } from '@talaria/base';
import { currentCall, runInCall, type Call } from './call.ts';

/** A piece of work that can be told to stop. */
export type Task<T = unknown> = (signal: AbortSignal) => T | PromiseLike<T>;

/** Tasks that end together. */
export interface TaskGroup {
  /** Runs a task in a call context of its own. Settles as it does, or rejects as soon as its signal aborts: it is not waited for then. */
  run<T>(task: Task<T>): Promise<T>;
  /** Why the call around the group ended, if it did. */
  readonly outerEnd: { readonly reason: unknown } | undefined;
  /** Aborts the tasks that still run, and refuses further ones. */
  cancel(reason: unknown): void;
  /** Lets go of the call around the group. */
  close(): void;
}

const late = (): DOMException => new DOMException('The deadline of the call has passed', 'TimeoutError');

/** Makes a group in the current call, whose end it shares. Each task has at most `share` (0 to 1) of what is left when it starts. */
export function taskGroup(share: number): TaskGroup {
  const { signal: outer, deadline, clock = systemClock }: Call = currentCall();
  const running = new Set<AbortController>();
  let outerEnd: { readonly reason: unknown } | undefined;
  let ended: { readonly reason: unknown } | undefined;

  const cancel = (reason: unknown): void => {
    ended ??= { reason };
    for (const scope of [...running]) scope.abort(reason);
  };
  const endOuter = (reason: unknown): void => {
    if (!ended) outerEnd = { reason };
    cancel(reason);
  };
  const onAbort = (): void => endOuter(outer?.reason);
  const left = (): number => (deadline === undefined ? Infinity : deadline - clock.monotonic());

  outer?.addEventListener('abort', onAbort, { once: true });
  if (outer?.aborted) onAbort();
  else if (left() <= 0) endOuter(late());
  // The signal of a call aborts at its deadline by itself, but one that was set within the call may be earlier.
  const cancelTimer = deadline === undefined || ended ? undefined : clock.after(left(), () => endOuter(late()));

  return {
    get outerEnd() {
      return outerEnd;
    },
    cancel,
    close() {
      outer?.removeEventListener('abort', onAbort);
      cancelTimer?.();
    },
    run<T>(task: Task<T>) {
      return new Promise<T>((resolve, reject) => {
        if (ended) {
          reject(ended.reason as Error);
          return;
        }
        const scope = new AbortController();
        const { signal } = scope;
        const changes: Call = deadline !== undefined && share < 1 ? { signal, deadline: clock.monotonic() + left() * share } : { signal };
        const cancelShare = changes.deadline === undefined ? undefined : clock.after(left() * share, () => scope.abort(late()));
        const leave = (): void => {
          running.delete(scope);
          cancelShare?.();
          signal.removeEventListener('abort', onEnd);
        };
        const onEnd = (): void => {
          leave();
          reject(signal.reason as Error);
        };
        signal.addEventListener('abort', onEnd);
        running.add(scope);
        runInCall(changes, async () => task(signal)).then(
          (value) => {
            leave();
            resolve(value);
          },
          (error: unknown) => {
            leave();
            reject(error as Error);
            // What it started and did not wait for ends with it. What a task that succeeded has started may be its result.
            scope.abort(new DOMException('The task has failed', 'AbortError'));
          },
        );
      });
    },
  };
}

/** Calls `start` for 0, 1, … `count` − 1, at most `concurrency` at a time, and rejects as soon as one does; the rest is not started then. */
export async function inTurn(count: number, concurrency: number, start: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    while (next < count && !failed) {
      try {
        await start(next++);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, lane));
}
