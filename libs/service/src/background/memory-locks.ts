import { sleep, systemClock, type Clock } from '@talaria/base';
import type { ScheduleLocks } from './schedule-locks.ts';

/** Locks within this process, for tests and for platforms that are one process: given to several services, they are instances to each other. */
export function memoryLocks({ clock = systemClock }: { readonly clock?: Clock | undefined } = {}): ScheduleLocks {
  const held = new Map<string, AbortController>();
  const waiting = new Map<string, Set<() => void>>();
  const countsUntil = new Map<string, number>();
  let closed = false;

  const released = (schedule: string): Promise<void> => new Promise((resolve) => void waiting.set(schedule, (waiting.get(schedule) ?? new Set()).add(resolve)));
  const free = (schedule: string, lock: AbortController): void => {
    if (held.get(schedule) !== lock) return;
    held.delete(schedule);
    const woken = waiting.get(schedule) ?? [];
    waiting.delete(schedule);
    for (const wake of woken) wake();
  };

  return {
    async acquire(schedule, signal) {
      for (;;) {
        signal.throwIfAborted();
        if (closed) throw new Error('The locks are closed.');
        if (!held.has(schedule)) break;
        await orAborted(released(schedule), signal);
      }
      const lock = new AbortController();
      held.set(schedule, lock);
      return {
        lost: lock.signal,
        async due(until) {
          until.throwIfAborted();
          for (let left = 1; left > 0; ) {
            left = (countsUntil.get(schedule) ?? -Infinity) - clock.monotonic();
            if (left > 0) await sleep(left, { clock, signal: until });
          }
        },
        async ran(ms) {
          if (held.get(schedule) !== lock) throw new Error('The lock is not held any more.');
          countsUntil.set(schedule, clock.monotonic() + ms);
        },
        release: async () => free(schedule, lock),
      };
    },
    async close() {
      closed = true;
      for (const [schedule, lock] of [...held]) {
        lock.abort(new Error('The locks are closed.'));
        free(schedule, lock);
      }
    },
  };
}

/** Settles as `work` does, unless the signal aborts first. */
function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    void work.then(resolve).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
