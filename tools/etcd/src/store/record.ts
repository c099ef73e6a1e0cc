import { type KeyValue } from '../messages.ts';

/** The id that means "no lease". */
export const NO_LEASE = '0';

/**
 * One change of one key. Keys are kept as latin-1 strings, one character a byte, because strings of that form sort like the
 * bytes they stand for and can be keys of a Map.
 */
export interface KeyRecord {
  readonly key: string;
  readonly value: Buffer;
  /** The revision that created the key; 0 in a tombstone. */
  readonly create: number;
  /** The revision of this change. */
  readonly mod: number;
  /** The place of this change among those of the same revision. */
  readonly sub: number;
  /** Counts the changes since creation; 0 means that the key was deleted. */
  readonly version: number;
  /** The lease that the key hangs on, `NO_LEASE` if none. */
  readonly lease: string;
}

/** Which keys: one key, or all from `key` up to but not including `end`; `end: null` means no upper bound. */
export interface KeyRange {
  readonly key: string;
  readonly end?: string | null;
}

export const isTombstone = (record: KeyRecord): boolean => record.version === 0;

/** Whether a key is in a range. */
export function inRange(range: KeyRange, key: string): boolean {
  if (range.end === undefined) return key === range.key;
  return key >= range.key && (range.end === null || key < range.end);
}

/** The wire form of a record; `keysOnly` leaves the value out. */
export function toKeyValue(record: KeyRecord, keysOnly = false): KeyValue {
  const key = Buffer.from(record.key, 'latin1');
  if (isTombstone(record)) return { key, mod_revision: record.mod };
  return {
    key,
    create_revision: record.create,
    mod_revision: record.mod,
    version: record.version,
    ...(keysOnly ? {} : { value: record.value }),
    lease: record.lease,
  };
}

/** The key as the store keeps it. */
export const keyOf = (bytes: Buffer | undefined): string => bytes?.toString('latin1') ?? '';

/**
 * The range that a request names. An absent `range_end` means one key and a zero byte means "all keys from `key` on". An
 * explicitly empty one means that too where etcd reads the request directly, and one key where it went through its log
 * (`throughLog`), which drops empty fields.
 */
export function rangeOf(request: { key?: Buffer; range_end?: Buffer }, throughLog = false): KeyRange {
  const key = keyOf(request.key);
  const end = request.range_end;
  if (end === undefined || (end.length === 0 && throughLog)) return { key };
  if (end.length === 0 || (end.length === 1 && end[0] === 0)) return { key, end: null };
  return { key, end: keyOf(end) };
}
