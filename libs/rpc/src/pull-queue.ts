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

interface Reader<T> {
  resolve(step: IteratorResult<T, undefined>): void;
  reject(error: unknown): void;
}

/** A class, since each call makes one or two: a literal with a getter and ten closures takes 2 µs to make. */
class Queue<T> implements PullQueue<T> {
  readonly #hooks: PullQueueHooks;
  readonly #items: T[] = [];
  readonly #readers: Reader<T>[] = [];
  #end: { readonly error?: unknown; readonly failed: boolean } | undefined;

  constructor(hooks: PullQueueHooks) {
    this.#hooks = hooks;
  }

  get size(): number {
    return this.#items.length;
  }

  push(item: T): void {
    if (this.#end) return;
    const reader = this.#readers.shift();
    if (!reader) {
      this.#items.push(item);
      return;
    }
    reader.resolve({ done: false, value: item });
    this.#hooks.onTake?.();
  }

  end(): void {
    this.#finish({ failed: false });
  }

  fail(error: unknown): void {
    this.#finish({ failed: true, error });
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#items.length > 0) {
      const value = this.#items.shift() as T;
      this.#hooks.onTake?.();
      return Promise.resolve({ done: false, value });
    }
    if (this.#end) return this.#end.failed ? Promise.reject(this.#end.error as Error) : Promise.resolve(DONE);
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject });
      this.#hooks.onPull?.();
    });
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#items.length = 0;
    this.#finish({ failed: false });
    this.#hooks.onReturn?.();
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #finish(how: { readonly error?: unknown; readonly failed: boolean }): void {
    if (this.#end) return;
    this.#end = how;
    for (const reader of this.#readers.splice(0)) {
      if (how.failed) reader.reject(how.error);
      else reader.resolve(DONE);
    }
  }
}

/** Makes a queue. `return()` never waits, unlike that of a generator. */
export function pullQueue<T>(hooks: PullQueueHooks = {}): PullQueue<T> {
  return new Queue(hooks);
}
