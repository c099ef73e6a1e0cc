import type { Etcd, EtcdEntry, Operation } from '@talaria/etcd';
import { fenced } from '../elections/elections.ts';
import { revisionOf } from '../elections/token.ts';
import type { Keys } from '../keys.ts';
import { MONITOR_ELECTION, sortReports, type HealthReports, type InstanceReport } from './reports.ts';
import { fromReportValue, saysTheSame, toReportValue } from './report-value.ts';

/** How long reports outlive their monitor, in seconds: three polls, so that there is no gap before its successor has made the first. */
const TTL_SECONDS = 30;
/** etcd takes 128 operations in a transaction by default. */
const MOST_OPERATIONS = 100;

/** Reports in etcd: `health/<service>/<instance>`, on a lease of the monitor, written in transactions that compare its leadership. */
export function etcdReports({ etcd, keys }: { readonly etcd: Etcd; readonly keys: Keys }): HealthReports {
  /** By service, of those whose monitor is here. */
  const leases = new Map<string, string>();

  const leaseOf = async (service: string): Promise<string> => {
    const known = leases.get(service);
    if (known !== undefined && (await etcd.leases.keepAlive(known))) return known;
    const { id } = await etcd.leases.grant(TTL_SECONDS);
    leases.set(service, id);
    return id;
  };
  const read = ({ key, value }: EtcdEntry): InstanceReport | undefined => fromReportValue(key.slice(keys.reports.length), value.toString());

  return {
    async publish(service, reports, leadership) {
      const prefix = `${keys.reports}${service}/`;
      const lease = await leaseOf(service);
      const there = new Map((await etcd.list(prefix)).entries.map((entry) => [entry.key, entry]));
      const operations: Operation[] = [];
      for (const report of reports) {
        const key = prefix + report.instance;
        const entry = there.get(key);
        there.delete(key);
        const before = entry?.lease === lease ? read(entry) : undefined;
        if (!before || !saysTheSame(before, report)) operations.push({ put: key, value: toReportValue(report), lease });
      }
      for (const gone of there.keys()) operations.push({ delete: gone });
      const compare = [{ key: `${keys.elections(service)}${MONITOR_ELECTION}`, modRevision: revisionOf(leadership.token) }];
      for (let at = 0; at < operations.length; at += MOST_OPERATIONS) {
        const { succeeded } = await etcd.transaction({ compare, success: operations.slice(at, at + MOST_OPERATIONS) });
        if (!succeeded) throw fenced(`${service}/${MONITOR_ELECTION}`, 'etcd says so.');
      }
    },
    async list(service) {
      const { entries } = await etcd.list(service === undefined ? keys.reports : `${keys.reports}${service}/`);
      return sortReports(entries.flatMap((entry) => read(entry) ?? []));
    },
    async withdraw(service) {
      const lease = leases.get(service);
      leases.delete(service);
      if (lease !== undefined) await etcd.leases.revoke(lease).catch(() => {});
    },
  };
}
