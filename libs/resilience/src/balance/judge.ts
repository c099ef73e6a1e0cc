import { shareOf, volumeOf } from './decayed-share.ts';
import { ENOUGH_EVIDENCE, sustainedMs, type Evidence } from './evidence.ts';
import { type EjectionReason, type Instance } from './instance.ts';
import { isKnown, peakOf } from './method-latency.ts';
import type { Limits } from './options.ts';

/** Failures have to last for so long, in ms: what one read of a socket brings is one event, and the others' may be in the next one. */
const FAILING_MS = 100;
/** Slowness has to last for so long, in ms: a pause of garbage collection, or a machine that is busy elsewhere, is over by then. */
const SLOW_MS = 1_000;
/** A run of failures must be as rare as this if the instance were like the others. */
const CHANCE = 1e-7;
/** Even where nobody fails, so many of all calls might. */
const USUAL_FAILING = 0.01;
/** Failures count for the success rate only with so many samples. */
const LEAST_VOLUME = 10;
/** And it has to have so many more of them than the others. */
const MORE_FAILING = 0.1;
const MORE_SLOW = 0.2;
/** Half of its attempts, or more, go without an answer anyway when it is slow; so many in a row, and nothing else, are silence. */
const UNANSWERED = 5;
/** Of those that waited for a long time, so many are enough. */
const STUCK = 3;
/** No more of the oldest attempts are looked at. */
const OLDEST = 16;
/** An instance on trial has been out already: less is enough. */
const TRIAL = { inARow: 3, failing: 6, slow: 8, slowMs: 200 };

/** What speaks against an instance. */
export interface Verdict {
  readonly reason: EjectionReason;
  /** How bad that is: worse ones take the place of others. */
  readonly severity: number;
  /** For the log. */
  readonly figures: Readonly<Record<string, number>>;
}

/** What it is judged by. */
export interface Judging {
  readonly now: number;
  readonly limits: Limits;
  /** Whether another instance answered an attempt that began after `from`. */
  readonly witnessed: (instance: Instance, from: number) => boolean;
}

/** What speaks against an instance that is in rotation; undefined if it is as good as the others. */
export function verdictOf(instance: Instance, judging: Judging): Verdict | undefined {
  return frozen(instance, judging) ?? failing(instance, judging) ?? slow(instance, judging);
}

function percent(share: number): number {
  return Math.round(share * 100);
}

/** No word from it since `from`, though it was asked, while others were asked later, and answered. */
function frozen(instance: Instance, { now, limits, witnessed }: Judging): Verdict | undefined {
  const { unary, heardAt, unanswered } = instance;
  const oldest = unary[0];
  if (!oldest && unanswered === 0) return undefined;
  const from = Math.max(heardAt, Math.min(instance.unansweredFrom, oldest?.at ?? Infinity));
  const silentMs = now - from;
  if (silentMs <= limits.silentMs) return undefined;
  let stuck = instance.stuck;
  let alone = false;
  for (let index = 0; index < unary.length && index < OLDEST; index++) {
    const { at, method, cold } = unary[index] as (typeof unary)[number];
    const waitedMs = now - Math.max(at, heardAt);
    if (waitedMs <= limits.silentMs) break;
    if (cold || !isKnown(method) || waitedMs <= 10 * method.typicalMs) continue;
    stuck++;
    // One call alone may be one of the rare slow ones.
    if (waitedMs > 2 * limits.silentMs && waitedMs > 1.5 * peakOf(method, now)) alone = true;
  }
  if (!alone && stuck < STUCK && unanswered < UNANSWERED) return undefined;
  if (!witnessed(instance, from + limits.silentMs / 2)) return undefined;
  return { reason: 'frozen', severity: 3, figures: { silentMs: Math.round(silentMs), unanswered: unanswered + unary.length } };
}

function strength({ value, at }: Evidence, now: number): number {
  return value * Math.exp((at - now) / 10_000);
}

function failing(instance: Instance, { now, limits }: Judging): Verdict | undefined {
  const { inARow, othersFailing, phase } = instance;
  const share = shareOf(instance.failing);
  if (share <= othersFailing + MORE_FAILING) return undefined;
  const figures = { failingPercent: percent(share), othersPercent: percent(othersFailing) };
  const onTrial = phase === 'trial';
  const usual = Math.min(0.95, Math.max(USUAL_FAILING, othersFailing * 1.5));
  const enough = Math.max(onTrial ? TRIAL.inARow : limits.consecutiveFailures, Math.log(CHANCE) / Math.log(usual) + (onTrial ? -2 : 0));
  if (inARow >= enough && instance.lastInARow - instance.firstInARow >= FAILING_MS) return { reason: 'consecutive_failures', severity: 2, figures: { inARow, ...figures } };
  if (volumeOf(instance.failing, now) < LEAST_VOLUME) return undefined;
  if (strength(instance.failingEvidence, now) < (onTrial ? TRIAL.failing : ENOUGH_EVIDENCE) || sustainedMs(instance.failingEvidence) < FAILING_MS) return undefined;
  return { reason: 'success_rate', severity: 2, figures };
}

function slow(instance: Instance, { now }: Judging): Verdict | undefined {
  const { slowEvidence, othersSlow, latencyMs = 0 } = instance;
  const onTrial = instance.phase === 'trial';
  if (strength(slowEvidence, now) < (onTrial ? TRIAL.slow : ENOUGH_EVIDENCE) || sustainedMs(slowEvidence) < (onTrial ? TRIAL.slowMs : SLOW_MS)) return undefined;
  const share = shareOf(instance.slow);
  if (share <= othersSlow + MORE_SLOW) return undefined;
  return { reason: 'latency', severity: 1, figures: { latencyMs: Math.round(latencyMs), slowPercent: percent(share), othersPercent: percent(othersSlow) } };
}
