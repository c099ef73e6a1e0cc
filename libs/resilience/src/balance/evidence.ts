/** After so many ms without samples, evidence is worth 1/e: at low traffic it fades faster than chance can add to it. */
const MEMORY_MS = 10_000;
/** Enough to act on: chance alone brings it about in one of e^16 samples, which is one in nine million. */
export const ENOUGH_EVIDENCE = 16;
/** More is not kept, so that an instance that is well again is soon not suspected any more. */
const MOST = 20;

/**
 * Evidence that an instance has more bad samples than others: a CUSUM of log-likelihood ratios, between "as many as the others
 * have" and "about `suspected` of all". It asks for more samples where others have bad ones too, and for few where they have none.
 * Source: E. S. Page, Continuous Inspection Schemes, Biometrika 41 (1954).
 */
export interface Evidence {
  value: number;
  at: number;
  /** When it began, and when the last bad sample added to it: what is sustained lies between. */
  since: number;
  until: number;
}

/** None yet. */
export function noEvidence(): Evidence {
  return { value: 0, at: 0, since: 0, until: 0 };
}

/** Weighs a sample; `usual` is the share of bad ones that others have. */
export function weigh(evidence: Evidence, bad: boolean, usual: number, suspected: number, now: number): void {
  if (evidence.value === 0 && !bad) return;
  const faded = evidence.value * Math.exp((evidence.at - now) / MEMORY_MS);
  const ratio = bad ? suspected / usual : (1 - suspected) / (1 - usual);
  // Where the others are as bad, nothing speaks against this one.
  const value = faded + (bad ? Math.max(0, Math.log(ratio)) : Math.min(0, Math.log(ratio)));
  if (evidence.value === 0) evidence.since = now;
  evidence.value = Math.min(MOST, Math.max(0, value));
  evidence.at = now;
  if (bad) evidence.until = now;
}

/** How long it has lasted, in ms. */
export function sustainedMs({ since, until }: Evidence): number {
  return until - since;
}

/** Forgets everything. */
export function clearEvidence(evidence: Evidence): void {
  evidence.value = 0;
}
