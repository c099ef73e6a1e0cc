/** After so many ms without samples, evidence is worth 1/e: at low traffic it fades faster than chance can add to it. */
const MEMORY_MS = 10_000;
/** Enough to act on: chance alone brings it about in one of e^16 samples, which is one in nine million. */
export const ENOUGH_EVIDENCE = 16;
/** More is not kept, so that an instance that is well again is soon not suspected any more. */
const MOST = 20;
/** Two samples that are further apart, in ms, say no more than that of how long it has been like that. */
const GAP_MS = 250;

/**
 * Evidence that an instance has more bad samples than others: a CUSUM of log-likelihood ratios, between "as many as the others
 * have" and "about `suspected` of all". It asks for more samples where others have bad ones too, and for few where they have none.
 * Source: E. S. Page, Continuous Inspection Schemes, Biometrika 41 (1954).
 */
export interface Evidence {
  value: number;
  at: number;
  /** How long bad samples have come, in ms. Time without samples hardly counts. */
  lastedMs: number;
}

/** None yet. */
export function noEvidence(): Evidence {
  return { value: 0, at: 0, lastedMs: 0 };
}

/** Weighs a sample; `usual` is the share of bad ones that others have. */
export function weigh(evidence: Evidence, bad: boolean, usual: number, suspected: number, now: number): void {
  if (evidence.value === 0 && !bad) return;
  // Where the others are as bad, nothing speaks against this one.
  if (usual >= suspected) return clearEvidence(evidence);
  const faded = evidence.value * Math.exp((evidence.at - now) / MEMORY_MS);
  const value = faded + Math.log(bad ? suspected / usual : (1 - suspected) / (1 - usual));
  if (evidence.value === 0) evidence.lastedMs = 0;
  else if (bad) evidence.lastedMs += Math.min(now - evidence.at, GAP_MS);
  evidence.value = Math.min(MOST, Math.max(0, value));
  evidence.at = now;
}

/** How much of it there is now. */
export function strengthOf({ value, at }: Evidence, now: number): number {
  return value * Math.exp((at - now) / MEMORY_MS);
}

/** Forgets everything. */
export function clearEvidence(evidence: Evidence): void {
  evidence.value = 0;
}
