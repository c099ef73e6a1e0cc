import type { Endpoint, Resolver } from './resolver.ts';
import { schemeOf } from './transport-for.ts';

/** An endpoint that is known by its address alone. */
export function endpointAt(address: string): Endpoint {
  const scheme = schemeOf(address);
  return { id: scheme === undefined ? address : address.slice(scheme.length + 3), addresses: [address] };
}

/** A resolver that knows everything from the start: for tests, scripts, and servers outside of the registry. */
export function staticResolver(contracts: Readonly<Record<string, readonly string[]>>): Resolver {
  const known = new Map(Object.entries(contracts).map(([contract, addresses]) => [contract, addresses.map(endpointAt)]));
  return {
    resolve: (contract) => ({ endpoints: known.get(contract) ?? [], onChange: () => () => {}, close: () => {} }),
  };
}
