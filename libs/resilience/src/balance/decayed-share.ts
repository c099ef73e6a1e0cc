/** How long a sample counts: after so many ms its weight is 1/e. Long enough for some tens of them at a call a second. */
const MEMORY_MS = 60_000;
/** At high rates no more than about so many samples count, so that it follows a change within some tens of calls. */
const DEPTH = 30;
/** Good samples that are taken for granted, so that the first bad one is not all that is known. */
const PRIOR = 2;

/** The share of samples that were bad, of late. */
export interface DecayedShare {
  bad: number;
  total: number;
  at: number;
}

/** One of which nothing is known. */
export function decayedShare(): DecayedShare {
  return { bad: 0, total: 0, at: 0 };
}

/** Counts a sample. */
export function countSample(share: DecayedShare, bad: boolean, now: number): void {
  const faded = share.total === 0 ? 0 : Math.exp((share.at - now) / MEMORY_MS);
  const total = share.total * faded + 1;
  const shrink = total > DEPTH ? DEPTH / total : 1;
  share.bad = (share.bad * faded + (bad ? 1 : 0)) * shrink;
  share.total = total * shrink;
  share.at = now;
}

/** From 0 to below 1. */
export function shareOf({ bad, total }: DecayedShare): number {
  return bad / (total + PRIOR);
}

/** How much its share says, now. */
export function volumeOf({ total, at }: DecayedShare, now: number): number {
  return total === 0 ? 0 : total * Math.exp((at - now) / MEMORY_MS);
}

/** Forgets everything. */
export function clearShare(share: DecayedShare): void {
  share.bad = share.total = 0;
}
