import { failures } from '../failure.ts';
import { createKeyHistory, type KeyHistory } from './key-history.ts';
import { type Persistence } from './persistence.ts';
import { inRange, isTombstone, NO_LEASE, type KeyRange, type KeyRecord } from './record.ts';
import { createSortedKeys } from './sorted-keys.ts';

/** Reads keys as of a revision. */
export interface Reader {
  /**
   * The live records of a range, in ascending order of keys, as of `revision` (absent or not positive: now).
   * Throws `compacted` or `futureRevision` if that revision cannot be read.
   */
  range(range: KeyRange, revision?: number): KeyRecord[];
  /** The revision that answers carry: the store's, or inside of a write that changed something the one it makes. */
  revision(): number;
}

/** Changes keys, all under one revision. */
export interface Writer extends Reader {
  put(key: string, value: Buffer, lease: string): void;
  /** Returns how many keys there were. */
  deleteRange(range: KeyRange): number;
}

/** Part of the history, for watchers. */
export interface HistoryPart {
  readonly records: KeyRecord[];
  /** The first revision that was not looked at. */
  readonly next: number;
}

/** All versions of all keys since the last compaction. Not concurrent: each call is one step. */
export interface Store extends Reader {
  /** -1 before the first compaction. */
  compactRevision(): number;
  /** Runs `body`; what it changed is stored when this returns. If storing fails nothing is changed and `noSpace` is thrown. */
  write<T>(body: (writer: Writer) => T, revokedLease?: string): T;
  /** Whole revisions from `from` on that touched the range; looks at `scan` changes and returns `bytes` of data, or little more. */
  history(range: KeyRange, from: number, limits: { readonly scan: number; readonly bytes: number }): HistoryPart;
  /** The record before a change; undefined if there was none or it was compacted. */
  previous(record: KeyRecord): KeyRecord | undefined;
  /** Forgets what was overwritten or deleted up to `revision`. It counts at once; the promise resolves when the space is free too. */
  compact(revision: number): Promise<void>;
  /** Calls `listener` after every change, with what was changed. Returns how to stop that. */
  onCommit(listener: (records: readonly KeyRecord[]) => void): () => void;
  /** The newest record of every key that exists now. */
  liveRecords(): Iterable<KeyRecord>;
}

/** Records a compaction looks at before it lets other work through: a few milliseconds. */
const COMPACTION_CHUNK = 500;

const EMPTY = Buffer.alloc(0);

/** Opens the store on what `persistence` has. */
export function createStore(persistence: Persistence): Store {
  const histories = new Map<string, KeyHistory>();
  const keys = createSortedKeys();
  const listeners = new Set<(records: readonly KeyRecord[]) => void>();
  /** All changes in order, from the compacted revision on. */
  let log: KeyRecord[] = [];
  let compacted = persistence.compactRevision();
  // An empty store is at revision 1, as etcd is.
  let current = Math.max(1, compacted);
  let compacting = Promise.resolve();

  function append(record: KeyRecord): void {
    let history = histories.get(record.key);
    if (!history) {
      history = createKeyHistory();
      histories.set(record.key, history);
      keys.add(record.key);
    }
    history.append(record);
  }

  function dropIfEmpty(key: string): void {
    if (!histories.get(key)?.empty()) return;
    histories.delete(key);
    keys.remove(key);
  }

  /** Called in order for each record up to the compacted revision; returns what nobody can read any more. */
  function dropSuperseded(record: KeyRecord): KeyRecord[] {
    const dropped = histories.get(record.key)?.dropBefore(record) ?? [];
    dropIfEmpty(record.key);
    return dropped;
  }

  function load(): void {
    // A compaction that a crash cut short is finished here.
    const dropped: KeyRecord[] = [];
    for (const record of persistence.records()) {
      append(record);
      current = Math.max(current, record.mod);
      if (record.mod <= compacted) dropped.push(...dropSuperseded(record));
      if (record.mod >= compacted) log.push(record);
    }
    const gone = new Set(dropped);
    if (gone.size === 0) return;
    log = log.filter((record) => !gone.has(record));
    persistence.remove(dropped);
  }
  load();

  function read(range: KeyRange, revision: number, now: number): KeyRecord[] {
    if (revision > now) throw failures.futureRevision();
    const at = revision > 0 ? revision : now;
    if (at < compacted) throw failures.compacted();
    if (range.end === undefined) {
      const record = histories.get(range.key)?.at(at);
      return record ? [record] : [];
    }
    const found: KeyRecord[] = [];
    for (const key of keys.from(range.key, range.end)) {
      const record = histories.get(key)?.at(at);
      if (record) found.push(record);
    }
    return found;
  }

  /** The index of the first change in the log at or after a revision. */
  function logIndex(revision: number): number {
    let low = 0;
    let high = log.length;
    if ((log.at(-1)?.mod ?? 0) < revision) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((log[middle] as KeyRecord).mod < revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  async function compactInChunks(revision: number): Promise<void> {
    const kept: KeyRecord[] = [];
    const gone = new Set<KeyRecord>();
    let at = 0;
    while (at < log.length && (log[at] as KeyRecord).mod <= revision) {
      const dropped: KeyRecord[] = [];
      for (let n = 0; n < COMPACTION_CHUNK && at < log.length && (log[at] as KeyRecord).mod <= revision; n++, at++) {
        const record = log[at] as KeyRecord;
        dropped.push(...dropSuperseded(record));
        if (record.mod === revision) kept.push(record);
      }
      for (const record of dropped) if (record.mod === revision) gone.add(record);
      persistence.remove(dropped);
      await new Promise((resolve) => setImmediate(resolve));
    }
    // A watch may still start at the compacted revision itself, where it sees what survived.
    log = [...kept.filter((record) => !gone.has(record)), ...log.slice(at)];
  }

  function write<T>(body: (writer: Writer) => T, revokedLease?: string): T {
    const changes: KeyRecord[] = [];
    const next = current + 1;
    const change = (record: Omit<KeyRecord, 'mod' | 'sub'>): void => {
      const complete: KeyRecord = { ...record, mod: next, sub: changes.length };
      append(complete);
      changes.push(complete);
    };
    const now = (): number => (changes.length > 0 ? next : current);
    const writer: Writer = {
      range: (range, revision = 0) => read(range, revision, now()),
      revision: now,
      put(key, value, lease) {
        const before = histories.get(key)?.at(next);
        // Copied, because the bytes of a request are a view into a larger network buffer.
        change({ key, value: Buffer.from(value), lease, create: before?.create ?? next, version: (before?.version ?? 0) + 1 });
      },
      deleteRange(range) {
        const found = read(range, 0, now());
        for (const { key } of found) change({ key, value: EMPTY, lease: NO_LEASE, create: 0, version: 0 });
        return found.length;
      },
    };
    const undo = (): void => {
      for (const record of changes.reverse()) {
        histories.get(record.key)?.undo();
        dropIfEmpty(record.key);
      }
    };
    let result: T;
    try {
      result = body(writer);
    } catch (error) {
      undo();
      throw error;
    }
    if (changes.length === 0 && revokedLease === undefined) return result;
    try {
      persistence.save(changes, revokedLease);
    } catch (cause) {
      undo();
      throw Object.assign(failures.noSpace(), { cause });
    }
    if (changes.length > 0) {
      current = next;
      for (const record of changes) log.push(record);
      for (const listener of listeners) listener(changes);
    }
    return result;
  }

  return {
    range: (range, revision = 0) => read(range, revision, current),
    revision: () => current,
    compactRevision: () => compacted,
    write,
    history(range, from, limits) {
      const records: KeyRecord[] = [];
      let bytes = 0;
      let at = logIndex(from);
      const end = at + limits.scan;
      for (let revision = -1; at < log.length; at++) {
        const record = log[at] as KeyRecord;
        // Only between two revisions, because a revision is never split.
        if (record.mod !== revision && (at >= end || bytes >= limits.bytes)) return { records, next: record.mod };
        revision = record.mod;
        if (!inRange(range, record.key)) continue;
        records.push(record);
        bytes += record.key.length + record.value.length;
      }
      return { records, next: current + 1 };
    },
    previous: (record) => (record.mod - 1 < compacted ? undefined : histories.get(record.key)?.at(record.mod - 1)),
    compact(revision) {
      if (revision <= compacted) throw failures.compacted();
      if (revision > current) throw failures.futureRevision();
      persistence.saveCompactRevision(revision);
      compacted = revision;
      const done = compacting.then(() => compactInChunks(revision));
      // What one compaction could not remove is tried again at the next start; later compactions go on.
      compacting = done.catch(() => {});
      return done;
    },
    onCommit(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    *liveRecords() {
      for (const history of histories.values()) {
        const record = history.newest();
        if (record && !isTombstone(record)) yield record;
      }
    },
  };
}
