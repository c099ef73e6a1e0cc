import type { RetryPolicy } from '@talaria/rpc';
import { Status } from '@talaria/rpc';

/** How often a call is tried. */
export interface RetryNeverSentOptions {
  /** The first attempt included. Default 3. */
  readonly maxAttempts?: number;
}

/**
 * Tries a call again on another instance when the first one cannot have begun it: not a byte was sent, or the peer says that
 * it did not look at it. Safe for every method, so it asks for no idempotency level.
 */
export function retryNeverSent({ maxAttempts = 3 }: RetryNeverSentOptions = {}): RetryPolicy {
  return {
    again: ({ error, attempt, untried, requestsTaken }) =>
      error.outcome !== 'maybe_executed' &&
      // A call that its own side ended (deadline, cancellation) was never sent either, and is not wanted any more.
      error.code === Status.UNAVAILABLE &&
      attempt < maxAttempts &&
      untried > 0 &&
      !requestsTaken,
  };
}
