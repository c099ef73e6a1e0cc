/** What a queue tells the side that fills it. */
export interface PullQueueHooks {
  /** Somebody waits for an item and there is none. */
  onPull?(): void;
  /** An item left the queue. */
  onTake?(): void;
  /** The reader lost interest. */
  onReturn?(): void;
}

/** Hands items from one side to one reader, and tells when the reader wants more. */
export interface PullQueue<T> extends AsyncIterableIterator<T, undefined, undefined> {
  /** Items that nobody took yet. */
  readonly size: number;
  push(item: T): void;
  /** No more items come; those in the queue can still be read. */
  end(): void;
  /** As `end`, but the reader then gets the error. */
  fail(error: unknown): void;
  return(): Promise<IteratorResult<T, undefined>>;
}

const DONE = { done: true, value: undefined } as const;

/** Makes a queue. `return()` never waits, unlike that of a generator. */
export function pullQueue<T>(hooks: PullQueueHooks = {}): PullQueue<T> {
  const items: T[] = [];
  const readers: { resolve(step: IteratorResult<T, undefined>): void; reject(error: unknown): void }[] = [];
  let end: { readonly error?: unknown; readonly failed: boolean } | undefined;

  const finish = (how: NonNullable<typeof end>): void => {
    if (end) return;
    end = how;
    for (const reader of readers.splice(0)) {
      if (how.failed) reader.reject(how.error);
      else reader.resolve(DONE);
    }
  };

  const queue: PullQueue<T> = {
    get size() {
      return items.length;
    },
    push(item) {
      if (end) return;
      const reader = readers.shift();
      if (!reader) {
        items.push(item);
        return;
      }
      reader.resolve({ done: false, value: item });
      hooks.onTake?.();
    },
    end: () => finish({ failed: false }),
    fail: (error) => finish({ failed: true, error }),
    next() {
      if (items.length > 0) {
        const value = items.shift() as T;
        hooks.onTake?.();
        return Promise.resolve({ done: false, value });
      }
      if (end) return end.failed ? Promise.reject(end.error as Error) : Promise.resolve(DONE);
      return new Promise((resolve, reject) => {
        readers.push({ resolve, reject });
        hooks.onPull?.();
      });
    },
    return() {
      items.length = 0;
      finish({ failed: false });
      hooks.onReturn?.();
      return Promise.resolve(DONE);
    },
    [Symbol.asyncIterator]: () => queue,
  };
  return queue;
}
