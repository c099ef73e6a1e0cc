import { shareOf, volumeOf } from './decayed-share.ts';
import { ENOUGH_EVIDENCE, strengthOf } from './evidence.ts';
import { type EjectionReason, type Instance } from './instance.ts';
import { isKnown, peakOf } from './method-latency.ts';
import type { Limits } from './options.ts';
import type { Witness } from './record.ts';

/** Failures have to last for so long, in ms: what one read of a socket brings is one event, and the others' may be in the next one. */
const FAILING_MS = 100;
/** Slowness has to last for so long, in ms: a pause of garbage collection, or a machine that is busy elsewhere, is over by then. */
const SLOW_MS = 1_000;
/** Failures count for the success rate only with so many samples. */
const LEAST_VOLUME = 10;
/** Slow is an instance of which at least this share of the answers is slow. */
const MOST = 0.5;
/** And it has to be so many times as bad as the others, and by so much. What hits all of them does not hit all of them at once. */
const TIMES_WORSE = 2;
const WORSE_BY = 0.1;
/** Half of its attempts, or more, go without an answer anyway when it is slow; so many in a row, and nothing else, are silence. */
const UNANSWERED = 5;
/** Of those that waited for a long time, so many are enough. */
const STUCK = 3;
/** Silence has to look like that for so long, in ms: where all were silent, they do not all come back at once. */
const SILENT_MS = 200;
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
  readonly witnessed: Witness;
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
  // Time in which nobody asked is no silence.
  const silentMs = (oldest ? now : instance.unansweredUntil) - from;
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
  if (!witnessed(instance, from, from + limits.silentMs / 2)) return undefined;
  instance.silentSince = Math.min(instance.silentSince, now);
  if (now - instance.silentSince < SILENT_MS) return undefined;
  return { reason: 'frozen', severity: 3, figures: { silentMs: Math.round(silentMs), unanswered: unanswered + unary.length } };
}

function isWorse(share: number, others: number): boolean {
  return share > others * TIMES_WORSE + WORSE_BY;
}

function failing(instance: Instance, { now, limits }: Judging): Verdict | undefined {
  const { inARow, othersFailing, phase } = instance;
  const share = shareOf(instance.failing);
  if (!isWorse(share, othersFailing)) return undefined;
  const figures = { failingPercent: percent(share), othersPercent: percent(othersFailing) };
  const onTrial = phase === 'trial';
  const enough = onTrial ? TRIAL.failing : ENOUGH_EVIDENCE;
  const run = inARow >= (onTrial ? TRIAL.inARow : limits.consecutiveFailures) && instance.inARowEvidence >= enough;
  if (run && instance.lastInARow - instance.firstInARow >= FAILING_MS) return { reason: 'consecutive_failures', severity: 2, figures: { inARow, ...figures } };
  if (volumeOf(instance.failing, now) < LEAST_VOLUME) return undefined;
  if (strengthOf(instance.failingEvidence, now) < enough || instance.failingEvidence.lastedMs < FAILING_MS) return undefined;
  return { reason: 'success_rate', severity: 2, figures };
}

function slow(instance: Instance, { now }: Judging): Verdict | undefined {
  const { slowEvidence, othersSlow, latencyMs = 0 } = instance;
  if (instance.latelySlow < MOST) return undefined;
  const onTrial = instance.phase === 'trial';
  if (strengthOf(slowEvidence, now) < (onTrial ? TRIAL.slow : ENOUGH_EVIDENCE) || slowEvidence.lastedMs < (onTrial ? TRIAL.slowMs : SLOW_MS)) return undefined;
  const share = shareOf(instance.slow);
  if (!isWorse(share, othersSlow)) return undefined;
  return { reason: 'latency', severity: 1, figures: { latencyMs: Math.round(latencyMs), slowPercent: percent(share), othersPercent: percent(othersSlow) } };
}
