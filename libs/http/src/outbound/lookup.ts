import { lookup as dnsLookup } from 'node:dns/promises';
import { sleep } from '@talaria/base';
import { detached } from '@talaria/context';

/** One address of a name. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** Says all addresses of a host name, best first; rejects when there are none. */
export type Lookup = (host: string) => Promise<readonly ResolvedAddress[]>;

/** As the machine resolves names (`/etc/hosts`, DNS), in its own order. */
export const systemLookup: Lookup = (host) => dnsLookup(host, { all: true, order: 'verbatim' });

/** A lookup that is given up after `limitMs`; getaddrinfo itself cannot be cancelled. */
export async function lookupWithin(lookup: Lookup, host: string, limitMs: number): Promise<readonly ResolvedAddress[]> {
  const done = new AbortController();
  const late = sleep(limitMs, { signal: done.signal }).then(() => {
    throw new Error(`the name ${host} was not resolved within ${String(limitMs)} ms`);
  });
  late.catch(() => {}); // Aborted when the lookup was faster.
  try {
    return await Promise.race([detached(() => lookup(host)), late]);
  } finally {
    done.abort();
  }
}
