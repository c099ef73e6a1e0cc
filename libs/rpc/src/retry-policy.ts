import type { CallPlan, CallPolicy, FailedAttempt } from './call-policy.ts';

/** Says whether a call gets another attempt, which picks again. */
export interface RetryPolicy {
  /** True for one at once, a number for one after so many ms (on the clock of the call, and only if it has that much time left). */
  again(failure: FailedAttempt): boolean | number;
}

/** A policy that knows nothing but retries. */
export function retriesOnly(retry: RetryPolicy): CallPolicy {
  const plan: CallPlan = { again: (failure) => retry.again(failure) };
  return { begin: () => plan };
}
