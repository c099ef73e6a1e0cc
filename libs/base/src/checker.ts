/** What a checker found: data for the reader. */
export type CheckResult = Readonly<Record<string, unknown>>;

/**
 * What a failing checker means. `critical`: the instance should get no calls while it fails. `warning`: somebody should look at
 * it. `info`: worth knowing.
 */
export type CheckPriority = 'critical' | 'warning' | 'info';

/** Tells whether one thing that a service needs is well. After mercury's and Hailo's checkers. */
export interface Checker {
  /** Such as `postgres`. */
  readonly name: string;
  /** Whether the instance should get no calls while it fails; short for the priority `critical`. Default false. */
  readonly critical?: boolean;
  /** What its failure means. Default: `critical` for a critical checker, else `warning`. */
  readonly priority?: CheckPriority;
  /** Returns data when all is well and throws when it is not. Gets a signal that aborts when the check takes too long. */
  check(signal: AbortSignal): CheckResult | Promise<CheckResult>;
}
