import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '@talaria/base';
import type { Etcd, EtcdEntry } from '@talaria/etcd';
import type { Endpoint, Resolution, Resolver } from '@talaria/rpc';
import { createEntryReader } from './entry-reader.ts';
import { sortEndpoints } from './entry.ts';
import { holdPrefix } from './held-prefix.ts';
import { keysOf } from './keys.ts';

/** How a resolver on etcd is made. */
export interface EtcdResolverOptions {
  readonly etcd: Etcd;
  readonly log: Logger;
  /** Default `default`. */
  readonly namespace?: string;
  /**
   * How long endpoints that etcd has lost are held, in ms. Default 5,000: instances put themselves there again about a
   * second after etcd is back. One that leaves, or whose lease runs out, is gone at once all the same.
   */
  readonly emptyGraceMs?: number;
}

/** A resolver that holds watches until it is closed. */
export interface EtcdResolver extends Resolver {
  /** Stops keeping anything up to date; what was last known stays readable. */
  close(): void;
}

/** One contract, shared by all who resolve it. */
interface Shared {
  endpoints: readonly Endpoint[] | undefined;
  readonly listeners: Set<(endpoints: readonly Endpoint[]) => void>;
  references: number;
  close(): void;
}

const DEFAULT_GRACE_MS = 5000;

/** Resolves contracts from etcd. While etcd is away, the last known endpoints are the endpoints. */
export function etcdResolver({ etcd, log, namespace = 'default', emptyGraceMs = DEFAULT_GRACE_MS }: EtcdResolverOptions): EtcdResolver {
  const keys = keysOf(namespace);
  const contracts = new Map<string, Shared>();
  let closed = false;

  const start = (contract: string): Shared => {
    const read = createEntryReader(log);
    const shared: Shared = { endpoints: undefined, listeners: new Set(), references: 0, close: () => prefix.close() };
    const update = (entries: ReadonlyMap<string, EtcdEntry>): void => {
      const endpoints = sortEndpoints(read(entries).values());
      if (isDeepStrictEqual(endpoints, shared.endpoints)) return;
      shared.endpoints = endpoints;
      for (const listener of [...shared.listeners]) tell(listener, endpoints);
    };
    const tell = (listener: (endpoints: readonly Endpoint[]) => void, endpoints: readonly Endpoint[]): void => {
      try {
        listener(endpoints);
      } catch (err) {
        log.error('a listener of a resolution threw', { contract, err });
      }
    };
    const prefix = holdPrefix(etcd, keys.instances(contract), { log, graceMs: emptyGraceMs, onChange: update });
    return shared;
  };

  return {
    resolve(contract): Resolution {
      const shared = contracts.get(contract) ?? (closed ? undefined : start(contract));
      if (!shared) return { endpoints: undefined, onChange: () => () => {}, close: () => {} };
      contracts.set(contract, shared);
      shared.references++;
      const mine = new Set<(endpoints: readonly Endpoint[]) => void>();
      let open = true;
      return {
        get endpoints() {
          return shared.endpoints;
        },
        onChange(listener) {
          // Wrapped, so that one function given twice is two listeners.
          const wrapped = (endpoints: readonly Endpoint[]): void => listener(endpoints);
          if (!open) return () => {};
          mine.add(wrapped);
          shared.listeners.add(wrapped);
          return () => {
            mine.delete(wrapped);
            shared.listeners.delete(wrapped);
          };
        },
        close() {
          if (!open) return;
          open = false;
          for (const listener of mine) shared.listeners.delete(listener);
          if (--shared.references > 0) return;
          shared.close();
          if (contracts.get(contract) === shared) contracts.delete(contract);
        },
      };
    },
    close() {
      closed = true;
      for (const shared of contracts.values()) shared.close();
    },
  };
}
