/** How many bits of a fencing token the revision has; all above are the epoch. */
const REVISION_BITS = 64n;
/** What is longer was not written by us. */
const EPOCH = /^\d{1,30}$/;

/** A fencing token: the epoch counts first, then the store's revision at which the winner's key was made. */
export const tokenOf = (epoch: bigint, revision: bigint): bigint => (epoch << REVISION_BITS) | revision;

/** The epoch of a token. */
export const epochOf = (token: bigint): bigint => token >> REVISION_BITS;

/** The revision of a token. */
export const revisionOf = (token: bigint): bigint => token & ((1n << REVISION_BITS) - 1n);

/** The epoch that a key holds; 0 for none, and for what is none. */
export function readEpoch(value: string | undefined): bigint {
  return value !== undefined && EPOCH.test(value) ? BigInt(value) : 0n;
}

/**
 * The epoch of the next winner: above that of the last one as stored, and above all that this program knows of. Also not below
 * the wall clock, so that it grows over a store that was emptied or restored from a backup, and nobody here remembers. A wall
 * clock that jumps back is made good by whatever guards writes (`Leadership.refused`).
 */
export function nextEpoch(stored: bigint, known: bigint, nowMs: number): bigint {
  return [stored + 1n, known + 1n, BigInt(Math.max(0, Math.floor(nowMs)))].reduce((most, each) => (each > most ? each : most));
}
