import { type RuleStats } from '@talaria/contracts/talaria/gateway/v1/gateway';

/** What was counted of calls, of one or more gateways. */
export interface Figures {
  readonly calls: number;
  readonly errors: number;
  /** How many calls took longer than the bucket before and at most `upperMs`, by `upperMs`. */
  readonly latency: ReadonlyMap<number, number>;
}

/** The calls to the version and to others, as far as the gateway called one service. */
export interface Compared {
  readonly service: string;
  readonly canary: Figures;
  readonly others: Figures;
}

/** Nothing yet. */
export const NO_FIGURES: Figures = { calls: 0, errors: 0, latency: new Map() };

/** Both together. */
export function sumOf(a: Figures, b: Figures): Figures {
  const latency = new Map(a.latency);
  for (const [upperMs, count] of b.latency) latency.set(upperMs, (latency.get(upperMs) ?? 0) + count);
  return { calls: a.calls + b.calls, errors: a.errors + b.errors, latency };
}

/**
 * What gateways have counted for a rule of a version, by the service that they called. Calls of the service itself count by the version
 * that served them; what a call met behind another service is not known here: those count by whether their principal gets the version.
 */
export function compared(stats: readonly RuleStats[], { service, version }: { readonly service: string; readonly version: string }): readonly Compared[] {
  const found = new Map<string, { canary: Figures; others: Figures }>();
  for (const row of stats.flatMap(({ versions }) => versions)) {
    const both = found.get(row.service) ?? { canary: NO_FIGURES, others: NO_FIGURES };
    const isCanary = row.service === service ? row.version === version : row.inShare;
    const figures: Figures = { calls: Number(row.calls), errors: Number(row.errors), latency: new Map(row.latency?.buckets.map(({ upperMs, count }) => [upperMs, Number(count)])) };
    if (isCanary) both.canary = sumOf(both.canary, figures);
    // Whoever fell back to another version says nothing of either.
    else if (row.service !== service || !row.inShare) both.others = sumOf(both.others, figures);
    found.set(row.service, both);
  }
  return [...found].map(([name, both]) => ({ service: name, ...both })).sort((a, b) => (a.service < b.service ? -1 : 1));
}

/** Each bucket of a gateway ends 4% above the one before. */
const BUCKET_MIDDLE = Math.sqrt(1.04);

/** The time that a share `q` of the calls did not exceed, in ms; undefined when none was counted. */
export function quantile({ latency }: Figures, q: number): number | undefined {
  const ordered = [...latency].sort(([a], [b]) => a - b);
  const rank = Math.max(1, Math.ceil(q * ordered.reduce((sum, [, count]) => sum + count, 0)));
  let seen = 0;
  for (const [upperMs, count] of ordered) {
    seen += count;
    if (seen >= rank) return upperMs / BUCKET_MIDDLE;
  }
  return undefined;
}

/** How many calls took longer, and of how many that is known. */
export function slowerThan({ latency }: Figures, ms: number): { readonly slower: number; readonly of: number } {
  let [slower, of] = [0, 0];
  for (const [upperMs, count] of latency) {
    of += count;
    if (upperMs / BUCKET_MIDDLE > ms) slower += count;
  }
  return { slower, of };
}
