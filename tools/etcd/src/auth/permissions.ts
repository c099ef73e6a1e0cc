import { type KeyRange } from '../store/record.ts';

/** What a permission is for, by the numbers of the API's `Permission.Type`. */
export const PERMISSION = { read: 0, write: 1, readwrite: 2 } as const;

/** One permission of a role, with key and end as on the wire: latin-1 strings, one character a byte, empty if absent. */
export interface Permission {
  readonly type: number;
  readonly key: string;
  /** Empty: that key alone. A zero byte: no upper bound. */
  readonly end: string;
}

/** From `begin` up to but not including `end`; null is beyond every key. */
interface Interval {
  readonly begin: string;
  readonly end: string | null;
}

/** What a user may read and write, all roles taken together. */
export interface Permissions {
  mayRead(range: KeyRange): boolean;
  mayWrite(range: KeyRange): boolean;
}

const NUL = '\0';

function intervalOf({ key, end }: Permission): Interval {
  if (end === '') return { begin: key, end: key + NUL };
  return { begin: key, end: end === NUL ? null : end };
}

/** Whether `a` is at or beyond `b`, both being ends. */
const reaches = (a: string | null, b: string | null): boolean => a === null || (b !== null && a >= b);

/**
 * Whether intervals, in ascending order, cover all that is wanted without a gap. A range whose end lies before its key holds
 * no keys; as in etcd, both must be within what is permitted.
 */
function covers(intervals: readonly Interval[], wanted: Interval): boolean {
  let begin: string | undefined;
  let end: string | null = '';
  for (const interval of intervals) {
    const apart = (interval.end !== null && wanted.begin >= interval.end) || (wanted.end !== null && wanted.end <= interval.begin);
    if (apart) continue;
    if (begin === undefined) ({ begin, end } = interval);
    else if (end !== null && interval.begin > end) break;
    else if (reaches(interval.end, end)) end = interval.end;
  }
  return begin !== undefined && begin <= wanted.begin && reaches(end, wanted.end);
}

/** Merges the permissions of all roles of a user. */
export function mergePermissions(permissions: readonly Permission[]): Permissions {
  const intervals = (allowed: readonly number[]): Interval[] =>
    permissions
      .filter(({ type }) => allowed.includes(type))
      .map(intervalOf)
      .sort((a, b) => (a.begin < b.begin ? -1 : a.begin > b.begin ? 1 : 0));
  const readable = intervals([PERMISSION.read, PERMISSION.readwrite]);
  const writable = intervals([PERMISSION.write, PERMISSION.readwrite]);
  const wanted = ({ key, end }: KeyRange): Interval => ({ begin: key, end: end === undefined ? key + NUL : end });
  return {
    mayRead: (range) => covers(readable, wanted(range)),
    mayWrite: (range) => covers(writable, wanted(range)),
  };
}
