import { isTombstone, type KeyRecord } from './record.ts';

/** What happened to one key, oldest first. */
export interface KeyHistory {
  /** The newest record, which may be a tombstone; undefined if everything was dropped. */
  newest(): KeyRecord | undefined;
  /** The live record as of a revision; undefined if the key did not exist then. */
  at(revision: number): KeyRecord | undefined;
  append(record: KeyRecord): void;
  /** Takes the newest record back. */
  undo(): void;
  /** Drops and returns what came before `record`, and `record` itself if it is a tombstone. */
  dropBefore(record: KeyRecord): KeyRecord[];
  empty(): boolean;
}

/** How many dropped places the front of the list may have before it is copied. */
const SLACK = 64;

/** Makes an empty history. */
export function createKeyHistory(): KeyHistory {
  let records: KeyRecord[] = [];
  // Dropping from the front moves this index, because Array.shift copies the rest of a long list each time.
  let first = 0;

  return {
    newest: () => (records.length > first ? records.at(-1) : undefined),
    at(revision) {
      let low = first;
      let high = records.length;
      if (high > low && (records[high - 1] as KeyRecord).mod <= revision) low = high;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((records[middle] as KeyRecord).mod <= revision) low = middle + 1;
        else high = middle;
      }
      const record = low > first ? records[low - 1] : undefined;
      return record && !isTombstone(record) ? record : undefined;
    },
    append: (record) => {
      records.push(record);
    },
    undo: () => {
      records.pop();
    },
    dropBefore(record) {
      const dropped: KeyRecord[] = [];
      while (first < records.length && records[first] !== record) dropped.push(records[first++] as KeyRecord);
      if (isTombstone(record) && records[first] === record) dropped.push(records[first++] as KeyRecord);
      if (first > SLACK && first * 2 > records.length) {
        records = records.slice(first);
        first = 0;
      }
      return dropped;
    },
    empty: () => records.length === first,
  };
}
