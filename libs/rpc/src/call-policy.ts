import type { ContractMethod } from './contract.ts';
import type { AttemptResult } from './picker.ts';
import type { TransportError } from './transport-error.ts';
import type { WireCallOptions } from './transport.ts';

/** A call that is about to begin. */
export interface PolicyCall {
  readonly method: ContractMethod;
  /** Its metadata, deadline, clock and signal. */
  readonly options: WireCallOptions;
  /** When it began, in ms of its clock. Default: now. */
  readonly startedAt?: number | undefined;
}

/** What governs the calls of one contract of a client: whether they are made, how long an attempt may take, and which are made again. */
export interface CallPolicy {
  /**
   * A call begins, before anything is picked. Throws what the call fails with if it must not be made; a promise where it has
   * to wait, which has to heed the deadline and the signal of the call.
   */
  begin(call: PolicyCall): CallPlan | Promise<CallPlan>;
  /** Other instances serve the contract now, or what is known of them has changed: what keeps calls back may look again. */
  instancesChanged?(): void;
  /** What is known of its methods, for people who look at the topology. */
  describe?(): readonly MethodStats[];
}

/** What holds for one call that has begun. Its functions must not throw. */
export interface CallPlan {
  /** The longest one attempt may take, in ms (a unary call, or a stream until its first response); then it is cancelled. Default: as long as the call. */
  readonly attemptTimeoutMs?: number | undefined;
  /**
   * Of unary calls: asked as attempt `attempt` (1 for the first) is sent. After so many ms without an answer, one more attempt is made
   * besides. Undefined: none. `startedAt`: of the attempt, in ms of the clock of the call; default: now.
   */
  hedgeAfterMs?(attempt: number, startedAt?: number): number | undefined;
  /** Asked as that time has come and somebody is there who was not tried: whether attempt `attempt` is made. */
  hedge?(attempt: number): boolean;
  /** Whether there is another attempt after a failure: true for one at once, a number for one after so many ms (if the call has that much time left). */
  again(failure: FailedAttempt): boolean | number;
  /** Of streams: told once, when the first response has come, after how many ms. The call may go on for long. */
  answered?(firstResponseMs: number): void;
  /** Told once of the end of every attempt. */
  attempted?(result: AttemptResult, attempt: number): void;
  /** Told once, when the call is over, with its error if it failed (or its caller cancelled it). `endedAt` is in ms of its clock; default: now. */
  done?(result: { readonly durationMs: number; readonly endedAt?: number; readonly attempts: number; readonly error?: unknown }): void;
}

/** An attempt of a call that failed, and what a policy may go by. */
export interface FailedAttempt {
  readonly method: ContractMethod;
  /** With the outcome of the request. */
  readonly error: TransportError;
  /** How many attempts were made so far: 1 after the first. Hedges count, and retries that wait to be made. */
  readonly attempt: number;
  /** How many instances no attempt of this call has tried yet. */
  readonly untried: number;
  /** Whether a request of a stream was taken or a response has come already, so that it cannot be made again. */
  readonly requestsTaken: boolean;
  /** Whether it was given up since it took longer than `attemptTimeoutMs`. */
  readonly timedOut: boolean;
  /** Other attempts of this call that have not ended. */
  readonly inFlight: number;
}

/** What a policy knows of one method. */
export interface MethodStats {
  /** `account.v1.AccountService/GetAccount`. */
  readonly method: string;
  readonly breaker: {
    readonly state: 'closed' | 'open' | 'half_open' | 'forced_open' | 'forced_closed';
    /** The share of calls that is refused now, from 0 to 1. */
    readonly rejectProbability: number;
    readonly consecutiveFailures: number;
    /** Calls that it has refused. */
    readonly rejected: number;
  };
  /** Of attempts besides the first ones. */
  readonly budget: { readonly left: number; readonly spent: number; readonly refused: number };
  /** In ms, of calls that succeeded. Absent where there were too few. */
  readonly p50Ms?: number;
  /** In ms, of calls that succeeded. Absent where there were too few. */
  readonly p95Ms?: number;
  readonly calls: number;
  readonly failures: number;
  readonly retries: number;
  readonly hedges: number;
  /** Calls that a hedge answered. */
  readonly hedgesWon: number;
}
