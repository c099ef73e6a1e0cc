import { monotonicFactory } from 'ulid';

const ulid = monotonicFactory();

/** A new id such as `acc_01J9ZQ6D3M3V9Y7P0E4W7S2X1A`: prefixed, and sortable by the time it was made (ULID). */
export function newId(prefix: string): string {
  return `${prefix}_${ulid()}`;
}
