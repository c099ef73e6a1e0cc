import type { Leadership } from '@talaria/base';
import { fenced } from '../elections/elections.ts';
import { MONITOR_ELECTION, sortReports, type HealthReports, type InstanceReport } from './reports.ts';

/** Reports within this process. */
export function memoryReports(): HealthReports {
  const services = new Map<string, { readonly reports: readonly InstanceReport[]; readonly by: Leadership }>();
  return {
    async publish(service, reports, leadership) {
      if (!leadership.isHeld()) throw fenced(`${service}/${MONITOR_ELECTION}`, 'it was lost.');
      services.set(service, { reports: structuredClone(reports), by: leadership });
    },
    list: async (service) => sortReports([...services].flatMap(([name, { reports }]) => (service === undefined || name === service ? reports : []))),
    async withdraw(service, leadership) {
      if (services.get(service)?.by === leadership) services.delete(service);
    },
  };
}
