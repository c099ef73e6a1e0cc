import type { Endpoint, Resolution, Resolver } from '@talaria/rpc';

/** The instances of a service, as the registry knows them. */
export interface Instances {
  /** Goes by these contracts from now on. */
  follow(contracts: readonly string[]): void;
  /** Each instance once; undefined while nothing is known. */
  known(): readonly Endpoint[] | undefined;
  close(): void;
}

/** Follows the instances of a service. `onChange` hears of each change. */
export function instancesOf(service: string, resolver: Resolver, onChange: () => void): Instances {
  const followed = new Map<string, { readonly resolution: Resolution; readonly stop: () => void }>();
  const drop = (contract: string): void => {
    const one = followed.get(contract);
    followed.delete(contract);
    one?.stop();
    one?.resolution.close();
  };
  return {
    follow(contracts) {
      for (const contract of followed.keys()) if (!contracts.includes(contract)) drop(contract);
      for (const contract of contracts) {
        if (followed.has(contract)) continue;
        const resolution = resolver.resolve(contract);
        followed.set(contract, { resolution, stop: resolution.onChange(onChange) });
      }
    },
    known() {
      const lists = [...followed.values()].map(({ resolution }) => resolution.endpoints);
      if (lists.includes(undefined)) return undefined;
      const found = new Map<string, Endpoint>();
      for (const endpoint of lists.flatMap((list) => list ?? [])) {
        if (endpoint.service !== service || endpoint.instance === undefined) continue;
        // Not ready under one contract is not ready.
        if (endpoint.ready === false || !found.has(endpoint.instance)) found.set(endpoint.instance, endpoint);
      }
      return [...found.values()];
    },
    close() {
      for (const contract of [...followed.keys()]) drop(contract);
    },
  };
}
