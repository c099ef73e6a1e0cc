import type { Logger } from '@talaria/base';
import { openSession, type Etcd, type Session } from '@talaria/etcd';
import { readContract } from './contract-value.ts';
import { watchContracts } from './contracts-watch.ts';
import { createEntryReader } from './entry-reader.ts';
import { changed, sortEndpoints, toValue } from './entry.ts';
import { keysOf } from './keys.ts';
import { publish } from './publication.ts';
import type { RegisteredEndpoint, Registry } from './registry.ts';
import { etcdReports } from './reports/etcd-reports.ts';
import { checkPublication, checkRegistration } from './validate.ts';

/** How a registry in etcd is made. */
export interface EtcdRegistryOptions {
  readonly etcd: Etcd;
  readonly log: Logger;
  /** Default `default`. */
  readonly namespace?: string;
  /** How long an instance that died stays registered, in seconds. Default 10. */
  readonly ttlSeconds?: number;
}

/** A registry in etcd (docs/design.md, "Naming in etcd"). All instances registered here hang on one lease. Closing it leaves `etcd` open. */
export function etcdRegistry({ etcd, log, namespace = 'default', ttlSeconds }: EtcdRegistryOptions): Registry {
  const keys = keysOf(namespace);
  const open = new Set<{ close(): void }>();
  const readEntries = createEntryReader(log);
  let session: Session | undefined;
  let lastAttempt: Promise<unknown> = Promise.resolve();
  let closed = false;

  const inTurn = <T>(attempt: () => Promise<T>): Promise<T> => {
    const mine = lastAttempt.then(attempt);
    lastAttempt = mine.catch(() => {});
    return mine;
  };

  /** Closed with the registry, unless its owner does so before. */
  const opened = <T extends { close(): void }>(resource: T): T => {
    const { close } = resource;
    open.add(resource);
    // In place, since a resource may have getters.
    resource.close = () => {
      open.delete(resource);
      close();
    };
    return resource;
  };
  const checkOpen = (): void => {
    if (closed) throw new Error('The registry is closed.');
  };

  return {
    register(options) {
      checkOpen();
      checkRegistration(options);
      // Not before it is needed: whoever only watches needs no lease.
      session ??= openSession(etcd, { log, ...(ttlSeconds === undefined ? {} : { ttlSeconds }) });
      let latest = options;
      const kept = session.keep(keys.instance(options.contract, options.address), toValue(options));
      return {
        ready: kept.ready,
        update(change) {
          latest = changed(latest, change);
          return kept.set(toValue(latest));
        },
        close: () => kept.release(),
      };
    },
    publish(options) {
      checkOpen();
      checkPublication(options);
      return opened(publish({ etcd, keys, log, inTurn }, options));
    },
    watchContracts(listener) {
      checkOpen();
      return opened(watchContracts({ etcd, keys, log }, listener));
    },
    async services() {
      const [contracts, instances] = await Promise.all([etcd.list(keys.contracts), etcd.list(keys.services)]);
      const found = new Map<string, RegisteredEndpoint[]>();
      for (const entry of contracts.entries) if (readContract(entry)) found.set(entry.key.slice(keys.contracts.length), []);
      for (const [key, endpoint] of readEntries(new Map(instances.entries.map((entry) => [entry.key, entry])))) {
        const contract = key.slice(keys.services.length).split('/', 1)[0] ?? '';
        found.set(contract, [...(found.get(contract) ?? []), endpoint]);
      }
      return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([contract, endpoints]) => [contract, sortEndpoints(endpoints)]));
    },
    reports: etcdReports({ etcd, keys }),
    async close() {
      if (closed) return;
      closed = true;
      for (const resource of open) resource.close();
      await session?.release();
    },
  };
}
