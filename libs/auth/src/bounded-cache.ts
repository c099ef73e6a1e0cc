/** A map that forgets what was not used for longest. */
export interface BoundedCache<V> {
  get(key: string): V | undefined;
  /** Like `get`, but does not count as use. */
  peek(key: string): V | undefined;
  set(key: string, value: V): void;
  delete(key: string): void;
}

/** Makes a cache of at most `limit` entries. */
export function boundedCache<V>(limit: number): BoundedCache<V> {
  // A Map iterates in the order of insertion: the first key is the one that was not used for longest.
  const entries = new Map<string, V>();
  return {
    get(key) {
      const value = entries.get(key);
      if (value === undefined) return undefined;
      entries.delete(key);
      entries.set(key, value);
      return value;
    },
    peek: (key) => entries.get(key),
    set(key, value) {
      entries.delete(key);
      entries.set(key, value);
      if (entries.size > limit) entries.delete(entries.keys().next().value as string);
    },
    delete: (key) => void entries.delete(key),
  };
}
