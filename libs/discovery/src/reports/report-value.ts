import type { CheckReport, InstanceReport } from './reports.ts';

/** The value of a report's key: JSON, without what the key says already. */
export function toReportValue({ service: _service, instance: _instance, ...report }: InstanceReport): string {
  return JSON.stringify(report);
}

/** The report that a key and its value are; undefined for what is none. `key`: `<service>/<instance>`. */
export function fromReportValue(key: string, value: string): InstanceReport | undefined {
  const [service = '', instance = ''] = key.split('/', 2);
  try {
    const report = JSON.parse(value) as Partial<InstanceReport> | null;
    if (typeof report?.reachable !== 'boolean' || typeof report.at !== 'string' || !Array.isArray(report.checkers)) return undefined;
    return { address: '', ready: true, registered: true, since: report.at, monitor: '', ...report, service, instance } as InstanceReport;
  } catch {
    return undefined;
  }
}

/** How old a report may be whose numbers alone have changed, in ms: every write stays in etcd's history until it is compacted. */
const REFRESH_MS = 60_000;

const withoutNumbers = (checkers: readonly CheckReport[]): unknown => checkers.map(({ data: _data, durationMs: _durationMs, ...what }) => what);
const numbers = (checkers: readonly CheckReport[]): unknown => checkers.map(({ data }) => data);
const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** Whether `next` says nothing that is worth a write after `before`. */
export function saysTheSame(before: InstanceReport, next: InstanceReport): boolean {
  const head = ({ at: _at, checkers, address, version, reachable, error, ready, registered, since, monitor }: InstanceReport): unknown => [address, version, reachable, error, ready, registered, since, monitor, withoutNumbers(checkers)];
  if (!same(head(before), head(next))) return false;
  return same(numbers(before.checkers), numbers(next.checkers)) || Date.parse(next.at) - Date.parse(before.at) < REFRESH_MS;
}
