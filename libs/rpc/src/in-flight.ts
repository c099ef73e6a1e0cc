/** Counts the calls that a listener answers, and waits until there are none. */
export interface InFlight<T> {
  readonly calls: ReadonlySet<T>;
  add(call: T): void;
  remove(call: T): void;
  /** Resolves when there is none, after `limitMs` at the latest. */
  empty(limitMs: number): Promise<void>;
}

/** Makes one. */
export function inFlight<T>(): InFlight<T> {
  const calls = new Set<T>();
  const waiters = new Set<() => void>();
  return {
    calls,
    add: (call) => calls.add(call),
    remove(call) {
      calls.delete(call);
      if (calls.size === 0) for (const waiter of [...waiters]) waiter();
    },
    empty(limitMs) {
      if (calls.size === 0) return Promise.resolve();
      return new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          waiters.delete(done);
          resolve();
        };
        const timer = setTimeout(done, limitMs);
        waiters.add(done);
      });
    },
  };
}
