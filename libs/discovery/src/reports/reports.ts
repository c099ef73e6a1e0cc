import type { CheckPriority, CheckResult, Leadership } from '@talaria/base';

/** What a monitor has heard of one checker. */
export interface CheckReport {
  /** Such as `postgres`. */
  readonly name: string;
  /** What its failure means. */
  readonly priority: CheckPriority;
  readonly ok: boolean;
  /** Why it failed; absent for one that did not. */
  readonly error?: string | undefined;
  /** What it tells its reader: JSON. Where only this changes, it may be a minute old. */
  readonly data?: CheckResult | undefined;
  /** How long the check took, in ms. */
  readonly durationMs: number;
  /** Since when it has been well, or has failed: RFC 3339. */
  readonly since?: string | undefined;
}

/** What the monitor of a service has found of one of its instances, out of band. */
export interface InstanceReport {
  readonly service: string;
  /** The id of the instance. */
  readonly instance: string;
  /** Its advertised `host:port`. */
  readonly address: string;
  readonly version?: string | undefined;
  /** Whether it answered the monitor. */
  readonly reachable: boolean;
  /** Why it did not. */
  readonly error?: string | undefined;
  /** Whether none of its critical checkers fails: what it answered; of one that did not answer, what the registry says. */
  readonly ready: boolean;
  /** Whether it is in the registry. One that is not, and does not answer, has frozen or lost its network. */
  readonly registered: boolean;
  /** Since when `reachable` and `ready` have been as they are: RFC 3339. */
  readonly since: string;
  /** Empty if it does not answer. */
  readonly checkers: readonly CheckReport[];
  /** The id of the instance that is the monitor. */
  readonly monitor: string;
  /** When the monitor wrote this down, RFC 3339: as something changed. It holds for as long as it is there. */
  readonly at: string;
}

/** What monitors have found, by service and instance. */
export interface HealthReports {
  /**
   * Replaces all reports of a service. Writes only what has changed. Rejects while the registry is away, and with
   * `conflict.fenced` if the leadership (of the election `monitor` of the service) is not held any more.
   */
  publish(service: string, reports: readonly InstanceReport[], leadership: Leadership): Promise<void>;
  /** All reports there are, or those of one service, sorted. Rejects while the registry is away. */
  list(service?: string): Promise<readonly InstanceReport[]>;
  /** Takes out what was published under this leadership: its monitor stops. What another monitor has published since stays. Never rejects. */
  withdraw(service: string, leadership: Leadership): Promise<void>;
}

/** The election of the instance that polls the others. */
export const MONITOR_ELECTION = 'monitor';

/** Orders reports by service and instance. */
export function sortReports(reports: Iterable<InstanceReport>): readonly InstanceReport[] {
  const keyOf = ({ service, instance }: InstanceReport): string => `${service}/${instance}`;
  return [...reports].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}
