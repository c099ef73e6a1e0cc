import { histogram, type Histogram, type HistogramBucket } from './histogram.ts';

/** What was counted of the calls that went to one version of a service, of principals within the share of a rule or not. */
export interface VersionStats {
  /** The service that the gateway called. */
  readonly service: string;
  /** The version of the instance that was called; empty where it says none, or none was there. */
  readonly version: string;
  /** Whether the rule was applied to them. */
  readonly inShare: boolean;
  /** Those that have ended, without those that their clients gave up. */
  readonly calls: number;
  /** Of these, those that failed by a fault of ours: 5xx. */
  readonly errors: number;
  /** How long they took; streams are left out. */
  readonly latency: { readonly p50Ms: number; readonly p90Ms: number; readonly p99Ms: number; readonly buckets: readonly HistogramBucket[] };
}

/** What was counted for a rule since it is as it is: a change of the rule, such as of its share, begins anew. */
export interface RuleStats {
  readonly id: string;
  readonly share: number;
  readonly since: Date;
  /** Calls that the rule refused (throttled). */
  readonly refused: number;
  readonly versions: readonly VersionStats[];
}

/** How a call ended. */
export interface CallEnd {
  readonly version: string;
  readonly failed: boolean;
  /** Undefined for streams. */
  readonly durationMs: number | undefined;
}

/** Counts for one rule. */
export interface RuleCounters {
  refuse(): void;
  count(service: string, inShare: boolean, end: CallEnd): void;
  stats(): Pick<RuleStats, 'since' | 'refused' | 'versions'>;
}

interface Row {
  calls: number;
  errors: number;
  readonly latency: Histogram;
}

/** Versions come from the registry, where few are; whatever happens there, memory stays bounded. */
const MOST_ROWS = 1_000;

/** Begins to count. */
export function ruleCounters(since: Date): RuleCounters {
  const rows = new Map<string, Row & Pick<VersionStats, 'service' | 'version' | 'inShare'>>();
  let refused = 0;
  return {
    refuse: () => void refused++,
    count(service, inShare, { version, failed, durationMs }) {
      const key = `${service} ${String(inShare)} ${version}`;
      let row = rows.get(key);
      if (!row) {
        if (rows.size >= MOST_ROWS) return;
        row = { service, version, inShare, calls: 0, errors: 0, latency: histogram() };
        rows.set(key, row);
      }
      row.calls++;
      if (failed) row.errors++;
      if (durationMs !== undefined) row.latency.add(durationMs);
    },
    stats: () => ({
      since,
      refused,
      versions: [...rows.values()].map(({ service, version, inShare, calls, errors, latency }) => ({
        service,
        version,
        inShare,
        calls,
        errors,
        latency: { p50Ms: latency.quantile(0.5) ?? 0, p90Ms: latency.quantile(0.9) ?? 0, p99Ms: latency.quantile(0.99) ?? 0, buckets: latency.buckets() },
      })),
    }),
  };
}
