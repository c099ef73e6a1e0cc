import type { AttemptResult, WireMethod } from '@talaria/rpc';
import { countSample } from './decayed-share.ts';
import { clearEvidence, weigh } from './evidence.ts';
import { clearSilence, type Instance } from './instance.ts';
import { addAtLeast, addLatency, addSlowness, FAILURE_SLOWNESS } from './latency.ts';
import { isKnown, isSlow, learn, slownessOf, type MethodLatency } from './method-latency.ts';
import { takeAttempt } from './open-attempts.ts';
import type { Limits } from './options.ts';
import { outcomeOf } from './outcome.ts';
import { onProbe } from './probation.ts';

/** Failures are suspicious where about so many of all calls fail, */
const SUSPECTED_FAILING = 0.5;
/** and slow answers where about so many are. */
const SUSPECTED_SLOW = 0.8;
/** Failures that are further apart than this, in ms, are not in a row. */
const APART_MS = 30_000;

/** Of the last so many answers it is told whether most are slow; */
const LATELY = 8;
/** below this share of them, slowness is over. */
const NOT_SLOW = 0.25;

/** Whether another instance, which answers since `since` or longer, answered an attempt that began after `from`. */
export type Witness = (instance: Instance, since: number, from: number) => boolean;

/** What is told of the end of an attempt. */
export interface EndedAttempt {
  readonly result: AttemptResult;
  readonly wire: WireMethod;
  readonly method: MethodLatency;
  readonly now: number;
  readonly limits: Limits;
  readonly witnessed: Witness;
}

/** How long the answer took: the first one, for streams. Undefined where that depends on the caller, or none came. */
function answerMs({ requestStream, responseStream }: WireMethod, { durationMs, firstResponseMs }: AttemptResult): number | undefined {
  if (requestStream) return undefined;
  return responseStream ? firstResponseMs : durationMs;
}

/** Learns from the end of an attempt. */
export function record(instance: Instance, ended: EndedAttempt): void {
  const { result, wire, method, now } = ended;
  const startedAt = now - result.durationMs;
  const isStale = instance.stale.length > 0 && startedAt < instance.phaseFrom && takeAttempt(instance.stale, method, startedAt) !== undefined;
  const open = isStale ? undefined : takeAttempt(wire.requestStream || wire.responseStream ? instance.streams : instance.unary, method, startedAt);
  // What was picked and not used was no attempt.
  if (result.abandoned && result.durationMs === 0) return;
  instance.calls++;
  const outcome = outcomeOf(result, instance.candidate.connection);
  if (outcome === 'nothing' || isStale) return;
  if (outcome === 'unanswered') return unanswered(instance, startedAt, ended, open?.cold ?? false);
  instance.heardAt = now;
  if (startedAt > instance.answeredFrom) instance.answeredFrom = startedAt;
  if (startedAt < instance.answersSince) instance.answersSince = startedAt;
  if (instance.unanswered > 0) clearSilence(instance);

  const failed = outcome === 'failed';
  countFailure(instance, failed, now);
  if (failed || outcome === 'overloaded') addSlowness(instance, Math.max(FAILURE_SLOWNESS, slownessOf(method, result.durationMs)), now);
  let slow = false;
  const ms = outcome === 'good' ? answerMs(wire, result) : undefined;
  if (ms !== undefined && !open?.cold) {
    slow = countLatency(instance, ms, ended);
    learn(method, ms, now);
  }
  onProbe(instance, failed ? 'failed' : slow ? 'slow' : 'good', now);
}

function countFailure(instance: Instance, failed: boolean, now: number): void {
  countSample(instance.failing, failed, now);
  weigh(instance.failingEvidence, failed, instance.usualFailing, SUSPECTED_FAILING, now);
  if (!failed) {
    instance.inARow = 0;
    return;
  }
  instance.failures++;
  if (instance.inARow === 0 || now - instance.lastInARow > APART_MS) {
    instance.inARow = instance.inARowEvidence = 0;
    instance.firstInARow = now;
  }
  instance.inARow++;
  instance.inARowEvidence = instance.usualFailing >= SUSPECTED_FAILING ? 0 : instance.inARowEvidence + Math.log(SUSPECTED_FAILING / instance.usualFailing);
  instance.lastInARow = now;
}

/** Tells whether the answer was slow. */
function countLatency(instance: Instance, ms: number, { method, now, limits }: EndedAttempt): boolean {
  const slow = isSlow(method, ms, limits);
  countSlow(instance, slow, now);
  addSlowness(instance, slownessOf(method, ms), now);
  addLatency(instance, ms);
  return slow;
}

function countSlow(instance: Instance, slow: boolean, now: number): void {
  countSample(instance.slow, slow, now);
  instance.latelySlow += ((slow ? 1 : 0) - instance.latelySlow) / LATELY;
  if (instance.latelySlow < NOT_SLOW) clearEvidence(instance.slowEvidence);
  else weigh(instance.slowEvidence, slow, instance.usualSlow, SUSPECTED_SLOW, now);
}

/** It was given up: that it took at least so long is all that is known. */
function unanswered(instance: Instance, startedAt: number, { result, wire, method, now, limits, witnessed }: EndedAttempt, cold: boolean): void {
  const { durationMs } = result;
  if (result.timedOut && instance.heardAt < startedAt) instance.answersSince = Infinity;
  const waited = !wire.requestStream && !(wire.responseStream && result.firstResponseMs !== undefined);
  if (!waited || cold || !isKnown(method)) return onProbe(instance, 'unanswered', now);
  addAtLeast(instance, slownessOf(method, durationMs), now);
  // What nobody answered in the meantime says nothing of this one.
  if (durationMs > 2 * method.typicalMs && !wire.responseStream && witnessed(instance, startedAt, startedAt)) {
    instance.unanswered++;
    instance.unansweredFrom = Math.min(instance.unansweredFrom, Math.max(startedAt, instance.heardAt));
    instance.unansweredUntil = now;
    if (durationMs > Math.max(limits.silentMs, 10 * method.typicalMs)) instance.stuck++;
  }
  const slow = isSlow(method, durationMs, limits);
  if (slow) countSlow(instance, true, now);
  // A limit that was too short for anybody says nothing, and neither does one that passed while this process itself stood still: somebody
  // else was asked in the meantime, and answered.
  if (slow && result.timedOut && witnessed(instance, startedAt, startedAt + durationMs / 2)) {
    countFailure(instance, true, now);
    onProbe(instance, 'failed', now);
  } else onProbe(instance, slow ? 'slow' : 'unanswered', now);
}
