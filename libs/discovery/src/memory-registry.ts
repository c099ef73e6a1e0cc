import type { Endpoint, Resolver } from '@talaria/rpc';
import { findConflict } from './conflicts.ts';
import { descriptorHash } from './descriptor-hash.ts';
import { changed, fromValue, sortEndpoints, toValue } from './entry.ts';
import type { ContractInfo, RegisteredEndpoint, Registry } from './registry.ts';
import { memoryReports } from './reports/memory-reports.ts';
import { checkPublication, checkRegistration } from './validate.ts';

/** A registry and the resolver that goes with it. */
export interface MemoryRegistry extends Registry, Resolver {}

type Listener<T> = (value: T) => void;

/** A registry within this process, for tests and for platforms that are one process. It behaves as the one in etcd does. */
export function memoryRegistry(): MemoryRegistry {
  const instances = new Map<string, Map<string, RegisteredEndpoint>>();
  const listeners = new Map<string, Set<Listener<readonly Endpoint[]>>>();
  const contracts = new Map<string, ContractInfo>();
  const contractListeners = new Set<Listener<ReadonlyMap<string, ContractInfo>>>();
  const routes = new Map<string, string>();
  let closed = false;

  const endpointsOf = (contract: string): readonly RegisteredEndpoint[] => sortEndpoints(instances.get(contract)?.values() ?? []);
  const tell = (contract: string): void => {
    for (const listener of [...(listeners.get(contract) ?? [])]) listener(endpointsOf(contract));
  };
  const checkOpen = (): void => {
    if (closed) throw new Error('The registry is closed.');
  };

  return {
    register(options) {
      checkOpen();
      checkRegistration(options);
      const { contract, address } = options;
      const known = instances.get(contract) ?? new Map<string, RegisteredEndpoint>();
      if (known.has(address)) throw new Error(`${address} is registered for ${contract} already: close that registration first.`);
      // Through the text that etcd would hold, so that nothing is seen here that would not be seen there.
      let endpoint = fromValue(toValue(options));
      let latest = options;
      instances.set(contract, known.set(address, endpoint));
      tell(contract);
      return {
        ready: Promise.resolve(),
        async update(change) {
          const before = toValue(latest);
          latest = changed(latest, change);
          if (known.get(address) !== endpoint || toValue(latest) === before) return;
          endpoint = fromValue(toValue(latest));
          known.set(address, endpoint);
          tell(contract);
        },
        async close() {
          if (known.get(address) !== endpoint) return;
          known.delete(address);
          tell(contract);
        },
      };
    },
    publish(options) {
      checkOpen();
      checkPublication(options);
      const { contract, service, file, descriptorSet } = options;
      const owners = new Map([...contracts.values()].map((info) => [info.contract, info.service]));
      const conflict = findConflict(options, { owners, routes }, { contract: (name) => `${name} from the registry`, route: (route) => `"${route}" from the registry` });
      const ready = conflict ? Promise.reject(conflict) : Promise.resolve();
      ready.catch(() => {}); // Whoever waits for it hears of it; nobody has to.
      if (conflict) return { ready, close: () => {} };
      for (const [route, owner] of [...routes]) if (owner === contract) routes.delete(route);
      for (const route of options.routes) routes.set(route, contract);
      contracts.set(contract, { contract, service, file, descriptor: descriptorHash(descriptorSet), descriptorSet });
      for (const listener of [...contractListeners]) listener(new Map(contracts));
      return { ready, close: () => {} };
    },
    watchContracts(listener) {
      checkOpen();
      const wrapped = (all: ReadonlyMap<string, ContractInfo>): void => listener(all);
      contractListeners.add(wrapped);
      wrapped(new Map(contracts));
      return {
        get contracts() {
          return new Map(contracts);
        },
        ready: Promise.resolve(),
        close: () => void contractListeners.delete(wrapped),
      };
    },
    async services() {
      const names = new Set([...contracts.keys(), ...[...instances].filter(([, known]) => known.size > 0).map(([contract]) => contract)]);
      return new Map([...names].sort().map((contract) => [contract, endpointsOf(contract)]));
    },
    reports: memoryReports(),
    resolve(contract) {
      const mine = new Set<Listener<readonly Endpoint[]>>();
      const all = listeners.get(contract) ?? new Set<Listener<readonly Endpoint[]>>();
      listeners.set(contract, all);
      let open = true;
      return {
        get endpoints() {
          return endpointsOf(contract);
        },
        onChange(listener) {
          const wrapped = (endpoints: readonly Endpoint[]): void => listener(endpoints);
          if (!open) return () => {};
          mine.add(wrapped);
          all.add(wrapped);
          return () => {
            mine.delete(wrapped);
            all.delete(wrapped);
          };
        },
        close() {
          open = false;
          for (const listener of mine) all.delete(listener);
        },
      };
    },
    async close() {
      if (closed) return;
      closed = true;
      contractListeners.clear();
      for (const [contract, known] of instances) {
        known.clear();
        tell(contract);
      }
    },
  };
}
