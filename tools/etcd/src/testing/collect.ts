/** Values that arrive over time, and waiting for them. */
export interface Collected<T> {
  readonly all: readonly T[];
  push(value: T): void;
  /** Resolves with the first `count` values; rejects after 15 s. */
  take(count: number): Promise<T[]>;
}

const LIMIT_MS = 60_000;

/** Starts empty. */
export function collect<T>(): Collected<T> {
  const all: T[] = [];
  const waiting = new Set<() => void>();
  return {
    all,
    push(value) {
      all.push(value);
      for (const check of waiting) check();
    },
    take: (count) =>
      new Promise((resolve, reject) => {
        const limit = setTimeout(() => reject(new Error(`only ${all.length} of ${count} came: ${JSON.stringify(all)}`)), LIMIT_MS);
        const check = (): void => {
          if (all.length < count) return;
          clearTimeout(limit);
          waiting.delete(check);
          resolve(all.slice(0, count));
        };
        waiting.add(check);
        check();
      }),
  };
}
