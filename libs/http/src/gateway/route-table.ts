import { type LiveSetting, type Logger } from '@talaria/base';
import { createRouter, type Found } from '../transcode/router.ts';
import { readRoutes, type ContractRoutes, type ContractSource, type Route } from '../transcode/routes.ts';

/** The routes of all contracts that are published now. */
export interface RouteTable {
  find(method: string, path: string): Found<Route>;
  /** Stops following the contracts. */
  close(): void;
}

interface Known {
  readonly descriptorSet: Uint8Array;
  readonly routes: readonly Route[];
}

/** Follows the contracts. What is wrong with one is logged and leaves the others, and its own last good routes, alone. */
export function routeTable(contracts: LiveSetting<readonly ContractSource[]>, log: Logger): RouteTable {
  let known = new Map<string, Known>();

  const read = (source: ContractSource): Known | undefined => {
    const before = known.get(source.contract);
    if (before && Buffer.compare(before.descriptorSet, source.descriptorSet) === 0) return before;
    let found: ContractRoutes;
    try {
      found = readRoutes(source);
    } catch (err) {
      log.error('the descriptors of a contract cannot be read: its routes stay as they were', { contract: source.contract, service: source.service, err });
      return before;
    }
    for (const { method, reason } of found.refused) log.warn('a method is not routed', { contract: source.contract, method, reason });
    return { descriptorSet: source.descriptorSet, routes: found.routes };
  };

  const rebuild = (sources: readonly ContractSource[]): ReturnType<typeof createRouter<Route>> => {
    // In the order of their names, so that every gateway settles a clash alike.
    const ordered = [...sources].sort((a, b) => (a.contract < b.contract ? -1 : 1));
    known = new Map(ordered.map((source) => [source.contract, read(source)] as const).filter((entry): entry is readonly [string, Known] => entry[1] !== undefined));
    return createRouter([...known.values()].flatMap(({ routes }) => routes), (kept, dropped) =>
      log.error('two methods want the same route', { route: `${kept.method} ${kept.pattern}`, kept: kept.contract, dropped: dropped.contract }),
    );
  };

  let router = rebuild(contracts.get());
  const stop = contracts.onChange((sources) => {
    router = rebuild(sources);
  });
  return { find: (method, path) => router.find(method, path), close: stop };
}
