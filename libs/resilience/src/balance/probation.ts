import { clearSuspicion, type Instance } from './instance.ts';
import type { Limits } from './options.ts';

/** So many probes have to be answered well before an instance returns. */
const GOOD_PROBES = 3;
/** So many probes to which nobody waited for the answer are as bad as a bad one. */
const MISSED_PROBES = 3;
/** After a slow answer, which may be chance, it is asked once more so many ms later than otherwise. */
const ONCE_MORE_AFTER_MS = 200;
/** Between two probes, in ms. */
const PROBE_EVERY_MS = 100;
/** After so many ms without a call that can safely be made twice, any call is a probe; at once where answers were slow, but came. */
const ANY_CALL_AFTER_MS = 2_000;
/** A stream that has been open for so many ms is a good probe. */
const STREAM_IS_WELL_MS = 1_000;
/** For each time of so many ms that it did well, one ejection is forgotten. */
const FORGIVE_MS = 30_000;
/** Where so many of the others' calls are bad, a probe says nothing against this one. */
export const OTHERS_ARE_BAD = 0.4;

/** How a probe ended. */
export type ProbeResult = 'good' | 'slow' | 'failed' | 'unanswered';

/** Out of rotation, the longer the more often it was. */
export function eject(instance: Instance, reason: Instance['reason'], now: number, { baseMs, maxMs }: Limits): number {
  forgive(instance, now);
  instance.strikes++;
  instance.ejections++;
  const forMs = Math.min(maxMs, baseMs * instance.strikes);
  enter(instance, 'ejected', now);
  instance.reason = reason;
  instance.outUntil = now + forMs;
  return forMs;
}

/** Back in rotation, with a share that grows; on trial as long as that takes. */
export function readmit(instance: Instance, now: number): void {
  clearSuspicion(instance);
  enter(instance, 'trial', now);
  instance.rampFrom = now;
}

function enter(instance: Instance, phase: Instance['phase'], now: number): void {
  instance.phase = phase;
  instance.phaseFrom = now;
  instance.goodProbes = instance.missedProbes = 0;
}

/** What has come to its end with time. */
export function advance(instance: Instance, now: number, trialMs: number): void {
  if (instance.phase === 'ejected' && now >= instance.outUntil) {
    clearSuspicion(instance);
    enter(instance, 'probing', now);
    instance.stale.push(...instance.unary.splice(0));
    instance.lastPickAt = -Infinity;
  }
  if (instance.phase === 'probing' && instance.streams.length > 0 && now - instance.lastPickAt >= STREAM_IS_WELL_MS) {
    onProbe(instance, 'good', now);
    instance.lastPickAt = now;
  }
  if (instance.phase === 'trial' && now - instance.phaseFrom >= trialMs) enter(instance, 'in', now);
}

function forgive(instance: Instance, now: number): void {
  if (instance.phase !== 'in') return;
  const well = Math.floor((now - instance.phaseFrom) / FORGIVE_MS);
  instance.strikes = Math.max(0, instance.strikes - well);
}

/** Whether a call may be made there to see how it does: one at a time, and first those which can be made again elsewhere. */
export function mayProbe(instance: Instance, repeatable: boolean, now: number): boolean {
  if (instance.unary.length > 0 || now - instance.lastPickAt < PROBE_EVERY_MS) return false;
  return repeatable || instance.reason === 'latency' || now - instance.phaseFrom >= ANY_CALL_AFTER_MS;
}

/** Counts a probe. A bad one is seen by `probedBadly`. */
export function onProbe(instance: Instance, result: ProbeResult, now: number): void {
  if (instance.phase === 'ejected') {
    // It says something after all.
    if (instance.reason === 'frozen' && result !== 'unanswered') instance.outUntil = now;
    return;
  }
  if (instance.phase !== 'probing') return;
  if (result === 'good') instance.goodProbes++;
  else if (result === 'unanswered') instance.missedProbes++;
  else if (result === 'slow' && instance.missedProbes === 0) {
    instance.missedProbes++;
    instance.lastPickAt = now + ONCE_MORE_AFTER_MS;
  } else if ((result === 'slow' ? instance.othersSlow : instance.othersFailing) < OTHERS_ARE_BAD) {
    instance.missedProbes = MISSED_PROBES;
    instance.reason = result === 'slow' ? 'latency' : 'success_rate';
  }
}

/** Whether its probes were answered well. */
export function probedWell({ phase, goodProbes, missedProbes }: Instance): boolean {
  return phase === 'probing' && goodProbes >= GOOD_PROBES && missedProbes < MISSED_PROBES;
}

/** Whether a probe went wrong. */
export function probedBadly({ phase, missedProbes }: Instance): boolean {
  return phase === 'probing' && missedProbes >= MISSED_PROBES;
}
