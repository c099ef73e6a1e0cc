import { type KeyValue, type WatchEvent, type WatchResponse } from '../messages.ts';

/** What a key-value pair takes on the wire beside its key and value, at most. */
const KEY_VALUE_OVERHEAD = 64;

const sizeOfPair = (pair: KeyValue | undefined): number => (pair ? pair.key.length + (pair.value?.length ?? 0) + KEY_VALUE_OVERHEAD : 0);

const sizeOf = (event: WatchEvent): number => sizeOfPair(event.kv) + sizeOfPair(event.prev_kv);

/** Cuts a response into parts of at most `maxBytes`, each with one event at least; all but the last say that more follows. */
export function fragments(response: WatchResponse, maxBytes: number): WatchResponse[] {
  const parts: WatchEvent[][] = [[]];
  let bytes = 0;
  for (const event of response.events ?? []) {
    const size = sizeOf(event);
    if (bytes > 0 && bytes + size >= maxBytes) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(event);
    bytes += size;
  }
  return parts.map((events, index) => ({ ...response, events, ...(index < parts.length - 1 ? { fragment: true } : {}) }));
}
