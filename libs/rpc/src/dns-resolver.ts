import { promises as dns } from 'node:dns';
import { detached } from '@talaria/context';
import type { Endpoint, Resolution, Resolver } from './resolver.ts';
import { endpointAt } from './static-resolver.ts';

/** How a DNS resolver works. */
export interface DnsResolverOptions {
  /** How often names are looked up again, in ms. Default 5,000. */
  readonly everyMs?: number;
  /** The scheme of the addresses. Default `h2c`. */
  readonly scheme?: string;
  /** Looks up A and AAAA records. Default: as the machine does, its hosts file included. */
  readonly lookup?: (host: string) => Promise<readonly string[]>;
  /** Looks up SRV records. */
  readonly lookupService?: (name: string) => Promise<readonly { readonly name: string; readonly port: number }[]>;
}

const inUrl = (ip: string): string => (ip.includes(':') ? `[${ip}]` : ip);

/**
 * Contracts whose instances DNS knows: `dns:host:port` is every A and AAAA record of the host, `dns:_grpc._tcp.name` every
 * SRV record. While DNS fails, what it said last stays.
 */
export function dnsResolver(targets: Readonly<Record<string, string>>, options: DnsResolverOptions = {}): Resolver {
  const { everyMs = 5_000, scheme = 'h2c' } = options;
  const lookup = options.lookup ?? (async (host: string) => (await dns.lookup(host, { all: true })).map(({ address }) => address));
  const lookupService = options.lookupService ?? ((name: string) => dns.resolveSrv(name));

  const find = async (target: string): Promise<readonly Endpoint[]> => {
    const name = target.replace(/^dns:(\/\/\/?)?/, '');
    if (name.startsWith('_')) return (await lookupService(name)).map((record) => endpointAt(`${scheme}://${record.name}:${record.port}`));
    const match = /^(.+):(\d+)$/.exec(name);
    if (!match?.[1]) return [];
    const hosts = await lookup(match[1].replace(/^\[|\]$/g, ''));
    return [...new Set(hosts)].sort().map((ip) => endpointAt(`${scheme}://${inUrl(ip)}:${match[2]}`));
  };

  return {
    resolve(contract): Resolution {
      const target = targets[contract];
      const listeners = new Set<(endpoints: readonly Endpoint[]) => void>();
      let endpoints: readonly Endpoint[] | undefined = target === undefined ? [] : undefined;
      let timer: NodeJS.Timeout | undefined;
      let closed = false;
      const refresh = async (): Promise<void> => {
        try {
          const next = await find(target ?? '');
          const changed = JSON.stringify(next) !== JSON.stringify(endpoints);
          if (closed) return;
          endpoints = next;
          if (changed) for (const listener of [...listeners]) listener(next);
        } catch {
          // What was known stays; the next look may succeed.
        }
        if (!closed) timer = setTimeout(() => void refresh(), everyMs).unref();
      };
      if (target !== undefined) void detached(refresh);
      return {
        get endpoints() {
          return endpoints;
        },
        onChange(listener) {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
        close() {
          closed = true;
          clearTimeout(timer);
          listeners.clear();
        },
      };
    },
  };
}
