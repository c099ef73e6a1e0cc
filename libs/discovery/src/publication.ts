import { sleep, type Logger } from '@talaria/base';
import { detached } from '@talaria/context';
import { ServiceError } from '@talaria/errors';
import type { Etcd, Operation } from '@talaria/etcd';
import { findConflict } from './conflicts.ts';
import { readContract, writeContract } from './contract-value.ts';
import { descriptorHash } from './descriptor-hash.ts';
import type { Keys } from './keys.ts';
import type { Publication, PublishOptions } from './registry.ts';

interface Store {
  readonly etcd: Etcd;
  readonly keys: Keys;
  readonly log: Logger;
  /** Runs attempts to publish one after the other: they would otherwise make each other fail. */
  readonly inTurn: <T>(attempt: () => Promise<T>) => Promise<T>;
}

/** How often it is looked whether the contract is still there. Data loss is noticed sooner, by the pulse of the client. */
const CHECK_MS = 10_000;
const RETRY_MS = 500;

/**
 * Publishes a contract, and again when etcd has lost it. Only then: one that is there, but reads differently, was published
 * by a newer version of the service, which this one must not undo.
 */
export function publish(store: Store, options: PublishOptions): Publication {
  const { etcd, keys, log } = store;
  const { promise: ready, resolve: setReady, reject: refuse } = Promise.withResolvers<void>();
  ready.catch(() => {}); // Whoever waits for it hears of it; nobody has to.
  const key = keys.contract(options.contract);
  let stopped = false;
  let wake = (): void => {};
  let complaint = '';

  const publishUntilDone = async (): Promise<void> => {
    while (!stopped && !(await store.inTurn(async () => stopped || tryToPublish(store, options)))) await pause(Math.random() * 50);
  };

  const pause = (ms: number): Promise<void> => {
    const sleeping = new AbortController();
    wake = () => sleeping.abort();
    return sleep(ms, { signal: sleeping.signal }).catch(() => {});
  };

  /** Whether to go on. */
  const round = async (first: boolean): Promise<boolean> => {
    try {
      if (first || (await etcd.get(key)) === undefined) {
        await publishUntilDone();
        if (!first) log.info('published in etcd again', { contract: options.contract });
      }
      complaint = '';
      return true;
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof ServiceError && first) {
        refuse(error);
        stopped = true;
        return false;
      }
      // While etcd is away, its client says so; anything else is said once.
      if (complaint !== message && etcd.state.get() === 'reachable') log.error('a contract cannot be published in etcd', { contract: options.contract, err: error });
      complaint = message;
      return false;
    }
  };

  const run = async (): Promise<void> => {
    while (!stopped && !(await round(true))) await pause(RETRY_MS);
    if (!stopped) setReady();
    while (!stopped) {
      const done = await round(false);
      await pause(done ? CHECK_MS : RETRY_MS);
    }
    stopListening();
  };

  const stopListening = etcd.onDisturbance((what) => {
    if (what === 'closed') stopped = true;
    if (what !== 'unreachable') wake();
  });
  void detached(run);
  return {
    ready,
    close() {
      stopped = true;
      wake();
      stopListening();
    },
  };
}

/** One attempt; false if somebody else published meanwhile. Rejects with what stands against it. */
async function tryToPublish({ etcd, keys }: Store, options: PublishOptions): Promise<boolean> {
  const { contract, service, file, descriptorSet } = options;
  const descriptor = descriptorHash(descriptorSet);
  const [contracts, routes, stored] = await Promise.all([etcd.list(keys.contracts), etcd.list(keys.routes), etcd.get(keys.descriptor(descriptor))]);
  const owners = new Map(contracts.entries.map((entry) => [entry.key.slice(keys.contracts.length), readContract(entry)?.service ?? 'an unreadable entry']));
  const routeOwners = new Map(routes.entries.map((entry) => [entry.key.slice(keys.routes.length), entry.value.toString()]));
  const conflict = findConflict(options, { owners, routes: routeOwners }, { contract: (name) => `${keys.contract(name)} from etcd`, route: (route) => `"${keys.route(route)}" from etcd` });
  if (conflict) throw conflict;

  const success: Operation[] = [];
  if (!stored) success.push({ put: keys.descriptor(descriptor), value: descriptorSet });
  const value = writeContract({ service, file, descriptor });
  if (contracts.entries.find(({ key }) => key === keys.contract(contract))?.value.toString() !== value) success.push({ put: keys.contract(contract), value });
  const wanted = new Set(options.routes);
  for (const route of wanted) if (routeOwners.get(route) !== contract) success.push({ put: keys.route(route), value: contract });
  for (const [route, owner] of routeOwners) if (owner === contract && !wanted.has(route)) success.push({ delete: keys.route(route) });
  if (success.length === 0) return true;

  // Two services that publish at the same time must see each other: neither list may have changed since it was read.
  const compare = [
    { prefix: keys.contracts, unchangedSince: contracts.revision },
    { prefix: keys.routes, unchangedSince: routes.revision },
  ];
  return (await etcd.transaction({ compare, success })).succeeded;
}
