import { randomFillSync } from 'node:crypto';
import { monotonicFactory } from 'ulid';

const pool = new Uint8Array(256);
let used = pool.length;

/** ulid's own source of chance is Web Crypto, which takes 20 ms and 1 MB to load; node:crypto is loaded in every service anyway. */
function chance(): number {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  return (pool[used++] ?? 0) / 256;
}

const ulid = monotonicFactory(chance);

/** A new id such as `acc_01J9ZQ6D3M3V9Y7P0E4W7S2X1A`: prefixed, and sortable by the time it was made (ULID). */
export function newId(prefix: string): string {
  return `${prefix}_${ulid()}`;
}
