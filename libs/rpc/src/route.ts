import { isDeepStrictEqual } from 'node:util';
import { systemClock } from '@talaria/base';
import { detached } from '@talaria/context';
import { unavailable } from '@talaria/errors';
import { allowed, fallbacks, nobodyLike, type Choice, type VersionFallback } from './call-target.ts';
import type { ConnectionPool } from './connection-pool.ts';
import { endedHere, msUntil, reasonNotToSend } from './deadline.ts';
import type { Candidate, Picker } from './picker.ts';
import type { Endpoint, Resolver } from './resolver.ts';
import type { Connection, WireCallOptions, WireMethod } from './transport.ts';

/** The instances of one contract, and the connections to them. */
export interface Route {
  readonly picker: Picker;
  /** Those known now that a call may go to, without waiting. A preference that nobody fulfils is none. */
  current(choice?: Choice): readonly Candidate[];
  /**
   * Those known now that a call may go to; waits for the first answer of the resolver, but not long. Never empty: rejects with
   * `unavailable.no_instances`. A preference that nobody fulfils is none, and `onVersionFallback` is told.
   */
  candidates(method: WireMethod, options: WireCallOptions, choice?: Choice): readonly Candidate[] | Promise<readonly Candidate[]>;
  /** Tells `onVersionFallback` that a preference was passed over: all who fulfil it were tried. */
  passedOver(choice: Choice): void;
  close(): void;
}

/** The parts of a route. */
export interface RouteOptions {
  readonly resolver: Resolver;
  readonly pool: ConnectionPool;
  readonly picker: Picker;
  /** How long a call waits while nothing is known, in ms. */
  readonly firstAnswerMs: number;
  readonly onVersionFallback?: ((fallback: VersionFallback) => void) | undefined;
  /** Told when who is there has changed, or what is known of them. */
  readonly onChange?: () => void;
}

interface Known {
  readonly address: string;
  readonly candidate: { endpoint: Endpoint; readonly connection: Connection };
}

/** Choices of single calls that are remembered. */
const MOST_CHOICES = 100;

/** Narrows one list down, the same choice to the same array. Preferences are few, and each is one object. */
function narrowing(): (from: readonly Candidate[], choice: Choice) => readonly Candidate[] {
  const preferred = new WeakMap<object, readonly Candidate[]>();
  const asked = new Map<string, readonly Candidate[]>();
  return (from, choice) => {
    const key = choice.preferred ? '' : `${choice.version ?? ''} ${choice.instance ?? ''}`;
    let found = choice.preferred ? preferred.get(choice.preferred) : asked.get(key);
    if (found) return found;
    found = allowed(from, choice);
    if (choice.preferred) preferred.set(choice.preferred, found);
    else if (asked.size < MOST_CHOICES) asked.set(key, found);
    return found;
  };
}

/** Starts to keep track of a contract. */
export function openRoute(contract: string, options: RouteOptions): Route {
  const { resolver, pool, picker, firstAnswerMs, onVersionFallback, onChange } = options;
  const resolution = detached(() => resolver.resolve(contract));
  const waiting = new Set<() => void>();
  let known = new Map<string, Known>();
  let list: readonly Candidate[] | undefined;
  /** What choices leave of `list`, so that a picker gets the same array until something changes. */
  let narrow = narrowing();

  const update = (endpoints: readonly Endpoint[]): void => {
    const next: typeof known = new Map();
    let changed = list === undefined;
    for (const endpoint of endpoints) {
      const address = endpoint.addresses.find((some) => pool.takes(some));
      if (address === undefined || next.has(endpoint.id)) continue;
      const before = known.get(endpoint.id);
      // The same candidate as long as it leads to the same place, so that pickers can remember it.
      if (before?.address === address && before.candidate.endpoint.instance === endpoint.instance) {
        next.set(endpoint.id, before);
        known.delete(endpoint.id);
        if (isDeepStrictEqual(before.candidate.endpoint, endpoint)) continue;
        before.candidate.endpoint = endpoint;
      } else next.set(endpoint.id, { address, candidate: { endpoint, connection: pool.acquire(address, { ours: endpoint.instance !== undefined }) } });
      changed = true;
    }
    changed ||= known.size > 0;
    for (const { address } of known.values()) pool.release(address);
    known = next;
    // Pickers may remember what they made of an array.
    if (!changed) return;
    list = [...next.values()].map(({ candidate }) => candidate);
    narrow = narrowing();
    for (const wake of [...waiting]) wake();
    onChange?.();
  };

  const stop = resolution.onChange((endpoints) => detached(() => update(endpoints)));
  if (resolution.endpoints) update(resolution.endpoints);

  const noInstances = (): Error => unavailable('no_instances', `No instance serves ${contract}`, { params: { contract } });

  const passedOver = ({ preferred: wanted }: Choice): void => {
    if (wanted && onVersionFallback) for (const fallback of fallbacks(contract, list ?? [], wanted)) onVersionFallback(fallback);
  };
  const chosen = (from: readonly Candidate[], choice: Choice): readonly Candidate[] => {
    const found = narrow(from, choice);
    if (found.length > 0) return found;
    if (!choice.preferred) throw nobodyLike(contract, choice, from);
    passedOver(choice);
    return from;
  };

  const firstAnswer = (method: WireMethod, call: WireCallOptions): Promise<readonly Candidate[]> =>
    new Promise((resolve, reject) => {
      const done = (error?: Error): void => {
        cancelTimer();
        waiting.delete(onAnswer);
        call.signal?.removeEventListener('abort', onAbort);
        if (error) reject(error);
        else if (list && list.length > 0) resolve(list);
        else reject(noInstances());
      };
      const onAnswer = (): void => done();
      const onAbort = (): void => done(endedHere(method.path, call, 'never_sent'));
      const { clock = systemClock } = call;
      const wait = call.deadline === undefined ? firstAnswerMs : Math.min(firstAnswerMs, msUntil(call.deadline, clock));
      const cancelTimer = detached(() => clock.after(wait, onAnswer));
      waiting.add(onAnswer);
      call.signal?.addEventListener('abort', onAbort, { once: true });
    });

  return {
    picker,
    current(choice) {
      if (!list || !choice) return list ?? [];
      const found = narrow(list, choice);
      return found.length === 0 && choice.preferred ? list : found;
    },
    candidates(method, call, choice) {
      if (list && list.length > 0) return choice ? chosen(list, choice) : list;
      const refused = reasonNotToSend(method.path, call);
      if (refused) throw refused;
      if (list) throw noInstances();
      const answered = firstAnswer(method, call);
      return choice ? answered.then((all) => chosen(all, choice)) : answered;
    },
    passedOver,
    close() {
      stop();
      resolution.close();
      for (const { address } of known.values()) pool.release(address);
      known = new Map();
      list = [];
      narrow = narrowing();
      picker.close?.();
      for (const wake of [...waiting]) wake();
    },
  };
}
