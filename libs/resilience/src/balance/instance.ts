import type { Candidate, EndpointStats } from '@talaria/rpc';
import { clearShare, decayedShare, type DecayedShare } from './decayed-share.ts';
import { clearEvidence, noEvidence, type Evidence } from './evidence.ts';
import type { OpenAttempt } from './open-attempts.ts';

/** Why an instance is out of rotation. */
export type EjectionReason = NonNullable<EndpointStats['ejected']>['reason'];

/** What a picker knows of one candidate. Times are in ms of the picker's clock. */
export interface Instance {
  readonly candidate: Candidate;
  /** Attempts that have not ended, oldest first. Streams may last for hours, which is no reason to avoid an instance for short calls. */
  readonly unary: OpenAttempt[];
  readonly streams: OpenAttempt[];
  /** Those that it had not answered when it was tried again: they say nothing of what it is like since. */
  readonly stale: OpenAttempt[];
  calls: number;
  failures: number;
  /** Moving average, in ms. */
  latencyMs: number | undefined;
  /** By how much it is slower than typical, in log; see `latency.ts`. */
  slowness: number;
  sampledAt: number;

  /** Failures, and slow answers: as much as is needed to tell what is usual, and what speaks against this one. */
  readonly failing: DecayedShare;
  readonly failingEvidence: Evidence;
  readonly slow: DecayedShare;
  readonly slowEvidence: Evidence;
  /** The share of slow ones among the last few answers. */
  latelySlow: number;
  /** Failures in a row: how many, when the first and the last of them came, and what they say (as evidence does, but it does not fade). */
  inARow: number;
  firstInARow: number;
  lastInARow: number;
  inARowEvidence: number;
  /** Those shares of the others, as last looked at; and what is taken for usual by them. */
  othersFailing: number;
  othersSlow: number;
  usualFailing: number;
  usualSlow: number;

  /** When it last answered; when that attempt, or a later one, had begun; and when the first one had since it was last silent. */
  heardAt: number;
  answeredFrom: number;
  answersSince: number;
  /**
   * Attempts that were given up since it was last heard, though others answered in the meantime; those of them that had waited for long;
   * when the first of them had begun, and when the last of them ended; and since when that looks like silence.
   */
  unanswered: number;
  stuck: number;
  unansweredFrom: number;
  unansweredUntil: number;
  silentSince: number;

  phase: 'in' | 'ejected' | 'probing' | 'trial';
  reason: EjectionReason;
  /** When it is tried again. */
  outUntil: number;
  /** When it got into its phase. */
  phaseFrom: number;
  /** Ejections in all, and those that are not forgotten yet. */
  ejections: number;
  strikes: number;
  goodProbes: number;
  missedProbes: number;
  lastPickAt: number;

  /** From when on its share grows. -Infinity: it has all of it. */
  rampFrom: number;
  /** Whether its connection is there; whether it was lost, and is not back yet; and how often it was lost since `firstLossAt`. */
  connected: boolean;
  lost: boolean;
  losses: number;
  firstLossAt: number;
  /** Its share of calls against the others' mean, as last worked out; and its turn: the one with the lowest is next. */
  share: number;
  turn: number;
  /** When it was last in a list of candidates. */
  seenAt: number;
  stopListening: (() => void) | undefined;
}

/** Nothing is known yet. */
export function newInstance(candidate: Candidate, now: number): Instance {
  return {
    ...{ candidate, unary: [], streams: [], stale: [], calls: 0, failures: 0, latencyMs: undefined, slowness: 0, sampledAt: now },
    ...{ failing: decayedShare(), failingEvidence: noEvidence(), slow: decayedShare(), slowEvidence: noEvidence(), latelySlow: 0 },
    ...{ inARow: 0, firstInARow: 0, lastInARow: 0, inARowEvidence: 0, othersFailing: 0, othersSlow: 0, usualFailing: 1, usualSlow: 1 },
    ...{ heardAt: -Infinity, answeredFrom: -Infinity, answersSince: Infinity, unanswered: 0, stuck: 0, unansweredFrom: Infinity, unansweredUntil: -Infinity, silentSince: Infinity },
    ...{ phase: 'in', reason: 'connection', outUntil: 0, phaseFrom: now, ejections: 0, strikes: 0, goodProbes: 0, missedProbes: 0, lastPickAt: -Infinity },
    ...{ rampFrom: -Infinity, connected: candidate.connection.state === 'ready', lost: false, losses: 0, firstLossAt: -Infinity, share: 1, turn: NaN, seenAt: now, stopListening: undefined },
  };
}

/** Forgets what speaks against it, as for one that returns. */
export function clearSuspicion(instance: Instance): void {
  clearShare(instance.failing);
  clearShare(instance.slow);
  clearEvidence(instance.failingEvidence);
  clearEvidence(instance.slowEvidence);
  instance.inARow = instance.latelySlow = 0;
  instance.slowness = 0;
  clearSilence(instance);
}

/** It is not silent. */
export function clearSilence(instance: Instance): void {
  instance.unanswered = instance.stuck = 0;
  instance.unansweredFrom = instance.silentSince = Infinity;
  instance.unansweredUntil = -Infinity;
}

/** Whether it gets no more than probes. */
export function isOut({ phase }: Instance): boolean {
  return phase === 'ejected' || phase === 'probing';
}
