import type { MethodStats } from '@talaria/rpc';
import { outcomeWindow } from './outcome-window.ts';
import type { MethodPolicy } from './policy-settings.ts';
import type { Verdict } from './verdict.ts';

/** Below, calls are never refused by chance: a developer who restarts a service has not made so many. */
const FEWEST_FAILURES = 20;
/** So many successes in a row, and everything is as before. */
const SUCCESSES_TO_CLOSE = 4;
/** Pauses between trials: the first, how they grow, the longest, and how much chance changes them. */
const FIRST_PAUSE_MS = 500;
const PAUSE_GROWTH = 1.5;
const LONGEST_PAUSE_MS = 1_250;
const JITTER = 0.2;

/** Whether a call is made: `trial` for one that shall tell whether the others may be. */
export type Passage = 'pass' | 'trial' | 'refused';

/** What a breaker goes by. */
export type BreakerPolicy = MethodPolicy['breaker'];

/**
 * Keeps calls from a method that fails. Closed, it refuses calls by chance when more than `k` come for each one that succeeded (Google SRE,
 * chapter 21), over 10 s; that is for a method that fails in part. So many failures in a row open it at once, if calls fail that began after the
 * first of these: all that were on their way when one instance died, or when this process was held up, are one failure. Then nothing goes through but
 * a trial a second or so, and after the first that succeeds one at a time, until four in a row have. Times are in ms of a clock that never goes back.
 */
export interface Breaker {
  /** A call wants to begin; `over` has to follow unless it is refused. */
  enter(now: number, policy: BreakerPolicy): Passage;
  /** A call is over that began at `startedAt`. */
  over(now: number, verdict: Verdict, passage: Passage, policy: BreakerPolicy, startedAt: number): void;
  /** Whether calls are refused now, be it some of them. */
  refuses(now: number, policy: BreakerPolicy): boolean;
  /** Something has changed below: the next call is a trial. */
  tryNow(): void;
  /** In how many ms the next trial goes. */
  nextTrialMs(now: number): number;
  describe(now: number, policy: BreakerPolicy): MethodStats['breaker'];
}

/** How a breaker is made. */
export interface BreakerOptions {
  /** From 0 to 1. */
  readonly random: () => number;
  /** Told when it opens and when it closes. */
  readonly onChange: (state: 'open' | 'closed') => void;
}

/** Makes a closed one. */
export function breaker({ random, onChange }: BreakerOptions): Breaker {
  const window = outcomeWindow();
  let open = false;
  let consecutive = 0;
  /** When the first of these was noticed. */
  let failingSince = 0;
  /** Successes since the last failure, of trials while it is open. */
  let streak = 0;
  let trials = 0;
  let trialAt = 0;
  let pauseMs = FIRST_PAUSE_MS;
  let rejected = 0;

  const pause = (): number => pauseMs * (1 - JITTER + 2 * JITTER * random());

  const close = (): void => {
    window.clear();
    streak = consecutive = 0;
    pauseMs = FIRST_PAUSE_MS;
    if (!open) return;
    open = false;
    onChange('closed');
  };

  const chance = (now: number, { k }: BreakerPolicy): number => {
    window.roll(now);
    const { successes, failures, refusals } = window;
    if (failures < FEWEST_FAILURES) return 0;
    const wanted = successes + failures + refusals;
    return Math.max(0, (wanted - k * successes) / (wanted + 1));
  };

  const refuse = (now: number): Passage => {
    rejected++;
    window.refusal(now);
    return 'refused';
  };

  return {
    enter(now, policy) {
      if (policy.mode === 'closed') return 'pass';
      if (policy.mode === 'open') return refuse(now);
      if (!open) {
        const refused = chance(now, policy);
        if (refused === 0 || random() >= refused) return 'pass';
      }
      // Time lets trials through, not the end of the last one: that may take as long as its deadline.
      if (now < trialAt && !(streak > 0 && trials === 0)) return refuse(now);
      trials++;
      trialAt = now + pause();
      return 'trial';
    },
    over(now, verdict, passage, policy, startedAt) {
      if (passage === 'trial') {
        trials = Math.max(0, trials - 1);
        // It has said nothing, so the next one may.
        if (verdict === 'neutral') trialAt = now;
      }
      // What began before it opened says nothing of now.
      if (verdict === 'neutral' || (open && passage !== 'trial')) return;
      if (verdict === 'success') {
        window.success(now);
        consecutive = 0;
        streak++;
        if (streak >= SUCCESSES_TO_CLOSE && (open || chance(now, policy) > 0)) close();
        return;
      }
      window.failure(now);
      if (consecutive++ === 0) failingSince = now;
      streak = 0;
      if (open) {
        pauseMs = Math.min(pauseMs * PAUSE_GROWTH, LONGEST_PAUSE_MS);
        trialAt = now + pause();
      } else if (policy.mode === 'auto' && startedAt >= failingSince && consecutive >= policy.consecutive_failures && window.failures >= policy.consecutive_failures) {
        open = true;
        trialAt = now + pause();
        onChange('open');
      }
    },
    refuses: (now, policy) => policy.mode === 'open' || (policy.mode === 'auto' && (open || chance(now, policy) > 0)),
    tryNow() {
      trialAt = -Infinity;
    },
    nextTrialMs: (now) => Math.max(0, trialAt - now),
    describe(now, policy) {
      const shared = { consecutiveFailures: consecutive, rejected };
      if (policy.mode !== 'auto') return { ...shared, state: policy.mode === 'open' ? 'forced_open' : 'forced_closed', rejectProbability: policy.mode === 'open' ? 1 : 0 };
      if (open) return { ...shared, state: streak > 0 ? 'half_open' : 'open', rejectProbability: 1 };
      return { ...shared, state: 'closed', rejectProbability: chance(now, policy) };
    },
  };
}
