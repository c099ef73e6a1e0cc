/** A set of strings that is walked in order. */
export interface SortedKeys {
  /** Adds a key that is not in the set. */
  add(key: string): void;
  /** Removes a key; one that is not in the set is ignored. */
  remove(key: string): void;
  /** The keys from `from` on, in ascending order, up to but not including `end` (`null`: to the last). Don't change the set while walking. */
  from(from: string, end: string | null): Iterable<string>;
}

/** Splitting at this size keeps an insertion to a copy of a few kilobytes, however many keys there are. */
const LARGEST_CHUNK = 1024;

/** The first index whose key is not smaller than `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Makes an empty set: a list of sorted chunks, which costs less than a tree as long as it fits into memory. */
export function createSortedKeys(): SortedKeys {
  const chunks: string[][] = [];

  /** The first chunk whose last key is not smaller than `key`. */
  function chunkOf(key: string): number {
    let low = 0;
    let high = chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (((chunks[middle] as string[]).at(-1) as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return {
    add(key) {
      const index = Math.min(chunkOf(key), chunks.length - 1);
      const chunk = chunks[index];
      if (!chunk) {
        chunks.push([key]);
        return;
      }
      chunk.splice(lowerBound(chunk, key), 0, key);
      if (chunk.length > LARGEST_CHUNK) chunks.splice(index + 1, 0, chunk.splice(LARGEST_CHUNK / 2));
    },
    remove(key) {
      const index = chunkOf(key);
      const chunk = chunks[index];
      if (!chunk) return;
      const at = lowerBound(chunk, key);
      if (chunk[at] !== key) return;
      chunk.splice(at, 1);
      if (chunk.length === 0) chunks.splice(index, 1);
    },
    *from(from, end) {
      for (let index = chunkOf(from), at = -1; index < chunks.length; index++) {
        const chunk = chunks[index] as string[];
        for (at = at === -1 ? lowerBound(chunk, from) : 0; at < chunk.length; at++) {
          const key = chunk[at] as string;
          if (end !== null && key >= end) return;
          yield key;
        }
      }
    },
  };
}
