import type { ContractMethod } from './contract.ts';
import type { TransportError } from './transport-error.ts';

/** An attempt of a call that failed, and what a policy may go by. */
export interface FailedAttempt {
  readonly method: ContractMethod;
  /** With the outcome of the request. */
  readonly error: TransportError;
  /** 1 for the first. */
  readonly attempt: number;
  /** How many instances no attempt of this call has tried yet. */
  readonly untried: number;
  /** Whether a request of a stream was taken already, so that it cannot be sent again. */
  readonly requestsTaken: boolean;
}

/** Says whether a call gets another attempt, which picks again. */
export interface RetryPolicy {
  /** True for one at once, a number for one after so many ms (on the clock of the call, and only if it has that much time left). */
  again(failure: FailedAttempt): boolean | number;
}
