import type { KeySource, ServiceKey } from '@talaria/auth';
import { baggageKey } from '@talaria/context';
import { createService } from '@talaria/service';
import { DegradationDefinition } from './contract.ts';
import type { Calls } from './driver.ts';

const priority = baggageKey('talaria-priority');

/** Calls through a client of a Talaria service, with every default. */
export function talariaCalls(etcd: string, keys: KeySource, key: ServiceKey): Calls {
  const service = createService({
    name: 'service.driver',
    description: 'Calls an instance under faults',
    platform: { env: { ...process.env, ETCD_ENDPOINTS: etcd, LOG_LEVEL: 'info', LOG_FORMAT: 'json' }, keys, key },
  });
  const client = service.client(DegradationDefinition);
  return {
    read: ({ deadlineMs, critical, onAttempt }) => {
      const call = (): Promise<string> => client.read('', { timeoutMs: deadlineMs, onAttempt: ({ id }) => onAttempt(id) });
      return critical ? priority.run('critical', call) : call();
    },
    write: (id, { deadlineMs }) => client.write(id, { timeoutMs: deadlineMs }),
  };
}
