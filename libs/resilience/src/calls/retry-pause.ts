import { Status, type FailedAttempt } from '@talaria/rpc';
import type { MethodPolicy } from './policy-settings.ts';
import type { PeerSays } from './verdict.ts';

/** What else a retry goes by. */
export interface RetryRules {
  readonly retry: MethodPolicy['retry'];
  /** Whether a call of the method may be executed twice: its `idempotency_level` says so. */
  readonly repeatable: boolean;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** Refusals of one instance, which say nothing of the others: it has too much to do. */
const OVERLOADED: ReadonlySet<string | undefined> = new Set(['rate_limited.overload', 'rate_limited.deadline', 'rate_limited.concurrency']);

/** Whether another attempt may go better, by the status. */
function isRetryable({ error, attempt, timedOut }: FailedAttempt, says: PeerSays): boolean {
  switch (error.code) {
    case Status.UNAVAILABLE:
      return true;
    case Status.RESOURCE_EXHAUSTED:
      // A quota or a message that is too large stays so; somebody who is overloaded says when to come again.
      return says.retryAfterMs !== undefined;
    case Status.DEADLINE_EXCEEDED:
      // Of one attempt. If the peer says so, the time of the call is over, there or here.
      return timedOut;
    case Status.INTERNAL:
    case Status.UNKNOWN:
    case Status.DATA_LOSS:
      // One instance may be broken, so another one is asked; a bug is in all of them.
      return attempt === 1;
    default:
      return false;
  }
}

/**
 * In how many ms there may be another attempt, or false. Only one that is safe (it was never sent, or refused unseen, or the method
 * may be repeated), may go better, and was not tried several times below already; on another instance, unless the server said when to come
 * again. An instance that is overloaded speaks for itself only: another one is asked at once, and when all were, the call fails at once,
 * since calls that come again are what overload is made of.
 */
export function retryPause(failure: FailedAttempt, says: PeerSays, { retry, repeatable, random }: RetryRules): number | false {
  const { error, attempt, untried, requestsTaken } = failure;
  if (attempt >= retry.attempts || requestsTaken) return false;
  if (error.outcome === 'maybe_executed' && !repeatable) return false;
  if (!says.retryable || says.attempts > 1 || !isRetryable(failure, says)) return false;
  const { code, retryAfterMs } = says;
  if (error.outcome === 'refused' && OVERLOADED.has(code)) return untried > 0 ? 0 : false;
  if (retryAfterMs === undefined ? untried === 0 : retryAfterMs < 0 || retryAfterMs > retry.max_backoff) return false;
  // Full jitter. Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/. What was never sent was no load.
  const backoff = attempt === 1 || error.outcome === 'never_sent' ? 0 : random() * Math.min(retry.max_backoff, retry.backoff * 2 ** (attempt - 2));
  return Math.max(backoff, retryAfterMs ?? 0);
}
