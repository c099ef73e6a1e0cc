/** What a checker found: data for the reader. */
export type CheckResult = Readonly<Record<string, unknown>>;

/** Tells whether one thing that a service needs is well. After mercury's and Hailo's checkers. */
export interface Checker {
  /** Such as `postgres`. */
  readonly name: string;
  /** Whether the instance should get no calls while it fails. Default false. */
  readonly critical?: boolean;
  /** Returns data when all is well and throws when it is not. Gets a signal that aborts when the check takes too long. */
  check(signal: AbortSignal): CheckResult | Promise<CheckResult>;
}
