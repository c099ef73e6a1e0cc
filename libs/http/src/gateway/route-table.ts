import { systemClock, type CancelTimer, type Clock, type LiveSetting, type Logger } from '@talaria/base';
import { createRouter, type Found, type Router } from '../transcode/router.ts';
import { readRoutes, type ContractRoutes, type ContractSource, type Route } from '../transcode/routes.ts';

/** The routes of one contract that is published now. */
export interface PublishedRoutes {
  readonly contract: string;
  /** Who owns the contract. */
  readonly service: string;
  readonly descriptorSet: Uint8Array;
  readonly routes: readonly Route[];
}

/** The routes of all contracts that are published now. */
export interface RouteTable {
  find(method: string, path: string): Found<Route>;
  /** Whether a contract that is no longer published took this a moment ago: it is published again soon, or never. */
  wasThere(method: string, path: string): boolean;
  /** What is published now; another array after each change. */
  published(): readonly PublishedRoutes[];
  /** Stops following the contracts. */
  close(): void;
}

/** How a route table is made. */
export interface RouteTableOptions {
  readonly log: Logger;
  /** How long a contract that is gone is remembered, in ms. Default 30,000: a service whose etcd has lost its keys publishes them again within 10 s. */
  readonly graceMs?: number;
  readonly clock?: Clock;
}

/** Follows the contracts. What is wrong with one is logged and leaves the others, and its own last good routes, alone. */
export function routeTable(contracts: LiveSetting<readonly ContractSource[]>, { log, graceMs = 30_000, clock = systemClock }: RouteTableOptions): RouteTable {
  let known = new Map<string, PublishedRoutes>();
  const gone = new Map<string, { readonly routes: readonly Route[]; readonly forget: CancelTimer }>();

  const read = (source: ContractSource): PublishedRoutes | undefined => {
    const { contract, service, descriptorSet } = source;
    const before = known.get(contract);
    if (before?.service === service && Buffer.compare(before.descriptorSet, descriptorSet) === 0) return before;
    let found: ContractRoutes;
    try {
      found = readRoutes(source);
    } catch (err) {
      log.error('the descriptors of a contract cannot be read: its routes stay as they were', { contract, service: source.service, err });
      return before;
    }
    for (const { method, reason } of found.refused) log.warn('a method is not routed', { contract, method, reason });
    return { contract, service, descriptorSet, routes: found.routes };
  };

  const routesOf = (some: Iterable<{ readonly routes: readonly Route[] }>): readonly Route[] => [...some].flatMap(({ routes }) => routes);
  const goneRouter = (): Router<Route> => createRouter(routesOf(gone.values()), () => {});

  const rebuild = (sources: readonly ContractSource[]): Router<Route> => {
    // In the order of their names, so that every gateway settles a clash alike.
    const ordered = [...sources].sort((a, b) => (a.contract < b.contract ? -1 : 1));
    const before = known;
    known = new Map(ordered.map((source) => [source.contract, read(source)] as const).filter((entry): entry is readonly [string, PublishedRoutes] => entry[1] !== undefined));
    for (const [contract, { routes }] of before) if (!known.has(contract)) remember(contract, routes);
    for (const contract of known.keys()) forget(contract);
    return createRouter(routesOf(known.values()), (kept, dropped) =>
      log.error('two methods want the same route', { route: `${kept.method} ${kept.pattern}`, kept: kept.contract, dropped: dropped.contract }),
    );
  };

  const remember = (contract: string, routes: readonly Route[]): void => {
    if (routes.length === 0) return;
    log.warn('a contract is no longer published: its routes are unavailable, and then unknown', { contract, graceMs });
    const over = (): void => {
      forget(contract);
      recent = goneRouter();
    };
    gone.set(contract, { routes, forget: clock.after(graceMs, over, { background: true }) });
  };

  const forget = (contract: string): void => {
    gone.get(contract)?.forget();
    gone.delete(contract);
  };

  let router = rebuild(contracts.get());
  let recent = goneRouter();
  let published = [...known.values()];
  const stop = contracts.onChange((sources) => {
    router = rebuild(sources);
    recent = goneRouter();
    published = [...known.values()];
  });
  return {
    find: (method, path) => router.find(method, path),
    wasThere(method, path) {
      const found = gone.size > 0 ? recent.find(method, path) : undefined;
      return found !== undefined && 'route' in found;
    },
    published: () => published,
    close() {
      stop();
      for (const contract of [...gone.keys()]) forget(contract);
    },
  };
}
