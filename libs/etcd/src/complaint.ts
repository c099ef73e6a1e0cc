import type { Logger } from '@talaria/base';
import type { Etcd } from './connect.ts';

/** Logs the failures of something that is tried again and again: each reason once, until it works. */
export interface Complaint {
  failed(error: unknown): void;
  worked(): void;
}

/** That etcd is away is said once by its client, so here it is not; what etcd refuses is. */
export function createComplaint(etcd: Etcd, log: Logger, what: string, fields: Record<string, unknown>): Complaint {
  let said = '';
  return {
    failed(error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.debug(what, { ...fields, reason });
      if (reason === said || etcd.state.get() !== 'reachable') return;
      said = reason;
      log.warn(`${what}, trying on`, { ...fields, reason });
    },
    worked: () => (said = ''),
  };
}
