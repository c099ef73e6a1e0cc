import type { ChaosResult } from './chaos.ts';
import type { Sample } from './client.ts';
import { describeFault } from './plan.ts';

/** How one kind of call went while there were faults. */
export interface Row {
  readonly kind: string;
  readonly calls: number;
  readonly failed: number;
  /** In ms, of those that succeeded. */
  readonly p50: number;
  readonly p99: number;
  /** Seconds in which calls were made and none succeeded. */
  readonly unavailableSeconds: number;
}

const percentile = (sorted: readonly number[], share: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);

/** A row for each kind of call, and one for all. */
export function rowsOf({ samples, from, to }: Pick<ChaosResult, 'samples' | 'from' | 'to'>): readonly Row[] {
  const during = samples.filter(({ at, kind }) => at >= from && at <= to && kind !== 'check' && kind !== 'set up');
  const row = (kind: string, of: readonly Sample[]): Row => {
    const good = of.filter(({ status }) => status === 200);
    const sorted = good.map(({ ms }) => ms).sort((one, other) => one - other);
    const seconds = Map.groupBy(of, ({ at }) => Math.floor((at - from) / 1_000));
    const unavailableSeconds = [...seconds.values()].filter((each) => each.every(({ status }) => status !== 200)).length;
    return { kind, calls: of.length, failed: of.length - good.length, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), unavailableSeconds };
  };
  const kinds = [...Map.groupBy(during, ({ kind }) => kind)].sort(([one], [other]) => one.localeCompare(other));
  return [...kinds.map(([kind, of]) => row(kind, of)), row('all', during)];
}

/** How often each failure came: `503 unavailable.no_instances: 12`. */
export function failuresOf({ samples, from, to }: Pick<ChaosResult, 'samples' | 'from' | 'to'>): Readonly<Record<string, number>> {
  const failed = samples.filter(({ at, status }) => at >= from && at <= to && status !== 200);
  return Object.fromEntries([...Map.groupBy(failed, ({ status, code = '' }) => (status === 0 ? 'no answer' : `${status} ${code}`.trim()))].map(([what, of]) => [what, of.length]));
}

/** What a person reads at the end. */
export function textReport(result: ChaosResult): string {
  const cells = rowsOf(result).map((row) => [row.kind, row.calls, row.failed, row.p50, row.p99, row.unavailableSeconds].map(String));
  const table = [['call', 'calls', 'failed', 'p50 ms', 'p99 ms', 'unavailable s'], ...cells];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0))) ?? [];
  const lines = table.map((line) => line.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  '));
  const { wrong, acknowledged, delivered, seed, seconds, faults, quietMs } = result;
  const failures = Object.entries(failuresOf(result)).map(([what, count]) => `${what}: ${count}`);
  return [
    ...faults.map(({ atMs, fault, outcome }) => `${(atMs / 1_000).toFixed(1).padStart(6)} s  ${describeFault(fault)}: ${outcome}`),
    '',
    ...lines,
    '',
    `Failed calls: ${failures.join(', ') || 'none'}.`,
    `${acknowledged} transactions were acknowledged, ${delivered} webhooks delivered; quiet ${(quietMs / 1_000).toFixed(1)} s after the last fault.`,
    ...wrong.map((what) => `WRONG: ${what}`),
    wrong.length === 0 ? 'The money is right.' : `The money is wrong. Again: npx nx run chaos:run --seed ${seed} --seconds ${seconds}`,
  ].join('\n');
}
