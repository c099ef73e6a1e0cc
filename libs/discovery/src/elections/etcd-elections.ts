import { systemClock, type Clock, type Leadership, type Logger } from '@talaria/base';
import { detached } from '@talaria/context';
import type { Etcd, EtcdEntry } from '@talaria/etcd';
import { keysOf } from '../keys.ts';
import { createAbsence } from './absence.ts';
import { awaitKey, notYet, type Look } from './await-key.ts';
import { checkElectionName, fenced, type ServiceElections } from './elections.ts';
import { etcdRuns } from './etcd-runs.ts';
import { keepLease, type KeptLease } from './kept-lease.ts';
import { raiseEpoch } from './raise-epoch.ts';
import { epochOf, nextEpoch, readEpoch, tokenOf } from './token.ts';
import { watchKeys } from './watched-keys.ts';

/** How elections in etcd are made. */
export interface EtcdElectionsOptions {
  readonly etcd: Etcd;
  readonly log: Logger;
  /** Such as `service.account`: its instances are the candidates. */
  readonly service: string;
  /** The id of this instance, for people who look at who leads. */
  readonly instance: string;
  /** Default `default`. */
  readonly namespace?: string | undefined;
  /** After how long another instance wins when a leader died, in seconds. Default 10; etcd's own minimum is 2 by default. */
  readonly ttlSeconds?: number | undefined;
  /** What a leadership is measured by. Default: the time of this machine. */
  readonly clock?: Clock | undefined;
}

const DEFAULT_TTL_SECONDS = 10;
/** After a request that failed, in ms. */
const RETRY_MS = 500;

interface Held {
  readonly name: string;
  readonly lease: KeptLease;
  /** It led when etcd lost its data, which ends it. */
  dataLost: boolean;
}

/**
 * Elections in etcd, two keys each: `<name>`, on a lease of the leader, and `<name>/epoch`, which stays and grows with each
 * winner, in the same transaction. Closing it leaves `etcd` open. docs/decisions/0013-leaders.md has the reasons.
 */
export function etcdElections({ etcd, log, service, instance, namespace = 'default', ttlSeconds = DEFAULT_TTL_SECONDS, clock = systemClock }: EtcdElectionsOptions): ServiceElections {
  const keys = keysOf(namespace);
  const prefix = keys.elections(service);
  const watched = watchKeys(etcd, prefix, log);
  const closing = new AbortController();
  const absence = createAbsence(clock, ttlSeconds * 1000);
  const held = new Set<Held>();
  /** The highest epoch of each election that this program has heard of: etcd may forget. */
  const known = new Map<string, bigint>();
  /** Who led in a store that lost its data may lead on for this long, so that nobody may win before. */
  let nobodyBefore = -Infinity;
  /** Elections that this program led in the store that is gone: it knows that this has ended. */
  const ledBefore = new Set<string>();
  /** A lease that lost a race, for the next one. */
  let spare: KeptLease | undefined;

  const learn = (name: string, epoch: bigint): void => void known.set(name, epoch > (known.get(name) ?? 0n) ? epoch : (known.get(name) ?? 0n));
  const newLease = (): Promise<KeptLease> => detached(() => keepLease(etcd, { ttlSeconds, clock, onBeat: (reached) => (reached ? absence.worked() : absence.failed()) }));
  const takeLease = async (): Promise<KeptLease> => {
    const lease = spare;
    spare = undefined;
    return lease?.isHeld() ? lease : newLease();
  };
  const putBack = (lease: KeptLease): void => {
    if (spare?.isHeld() || closing.signal.aborted) void lease.release();
    else spare = lease;
  };

  const leadershipOf = (name: string, lease: KeptLease, { epoch, revision }: { readonly epoch: bigint; readonly revision: bigint }): Leadership => {
    const key = `${prefix}${name}`;
    const token = tokenOf(epoch, revision);
    const one: Held = { name, lease, dataLost: false };
    const lost = new AbortController();
    // A change from before the key was ours may be heard late, so that etcd itself is asked.
    const ours = async (): Promise<boolean> => (await etcd.get(key))?.modRevision === revision;
    const stop = watched.onChange(key, (entry) => void (entry?.modRevision !== revision && lease.look()));
    lease.alsoWhile(ours);
    held.add(one);
    const end = (): void => {
      stop();
      held.delete(one);
      if (one.dataLost && clock.monotonic() < nobodyBefore) ledBefore.add(name);
      lost.abort(fenced(name, (lease.lost.reason as Error).message));
    };
    if (lease.lost.aborted) end();
    else lease.lost.addEventListener('abort', end, { once: true });
    return {
      name: `${namespace}/${service}/${name}`,
      token,
      lost: lost.signal,
      isHeld: lease.isHeld,
      refused(seen) {
        if (seen <= token) return;
        learn(name, epochOf(seen));
        if (!lease.isHeld()) return;
        log.warn(`${service} has seen a later leader of ${name} than etcd knows of: electing again`, { election: name, token: String(token), seen: String(seen) });
        lease.lose('storage has seen a later leader.');
        void detached(async () => {
          await raiseEpoch(etcd, { key, revision, epoch: epochOf(seen) }).catch((error: unknown) => log.warn(`the epoch of ${name} could not be raised, which the next leader will try again`, { reason: (error as Error).message }));
          await lease.release();
        });
      },
      resign: () => lease.release('it was resigned.'),
    };
  };

  /** Tries to win, if nobody leads. */
  const tryToWin = async (name: string, signal: AbortSignal): Promise<Look<Leadership>> => {
    const mustWaitMs = (): number => (ledBefore.has(name) ? 0 : nobodyBefore - clock.monotonic());
    if (mustWaitMs() > 0) return { againInMs: mustWaitMs() };
    const key = `${prefix}${name}`;
    // Both at once; names that begin with this one come along.
    const { entries } = await etcd.list(key);
    const [leader, last] = [key, `${key}/epoch`].map((wanted) => entries.find((entry) => entry.key === wanted));
    absence.worked();
    const stored = readEpoch(last?.value.toString());
    learn(name, stored);
    if (leader) return notYet;
    const lease = await takeLease();
    const epoch = nextEpoch(stored, known.get(name) ?? 0n, clock.now());
    const result = await win(key, last, epoch, lease);
    if (!result) {
      putBack(lease);
      return { againInMs: 0 };
    }
    // The data may have been lost just now, before it was won.
    if (signal.aborted || !lease.isHeld() || mustWaitMs() > 0) {
      await lease.release();
      return { againInMs: 0 };
    }
    learn(name, epoch);
    ledBefore.delete(name);
    return { found: leadershipOf(name, lease, { epoch, revision: result.revision }) };
  };
  const win = async (key: string, last: EtcdEntry | undefined, epoch: bigint, lease: KeptLease): Promise<{ readonly revision: bigint } | undefined> => {
    try {
      const { succeeded, revision } = await etcd.transaction({
        compare: [{ key, modRevision: 0n }, { key: `${key}/epoch`, modRevision: last?.modRevision ?? 0n }],
        success: [{ put: key, value: instance, lease: lease.id }, { put: `${key}/epoch`, value: String(epoch) }],
      });
      return succeeded ? { revision } : undefined;
    } catch (error) {
      // The answer may be all that was lost: should the key be there, it goes with its lease.
      await lease.release();
      throw error;
    }
  };

  const stopListening = etcd.onDisturbance((what) => {
    if (what === 'unreachable') return absence.failed();
    // What it refuses although it is there counts as away, too: the next request will tell.
    if (what !== 'closed') absence.worked();
    if (what === 'data_lost') {
      nobodyBefore = clock.monotonic() + ttlSeconds * 1000;
      ledBefore.clear();
      for (const one of held) one.dataLost = true;
    }
    if (what !== 'closed') {
      for (const { lease } of [...held]) lease.look();
      return;
    }
    // Nothing can be asked any more, so that campaigns would not end either.
    end('The client of etcd was closed.');
    for (const { lease } of [...held]) lease.lose('the client of etcd was closed.');
    spare?.lose('the client of etcd was closed.');
  });
  const end = (reason: string): void => {
    closing.abort(new Error(reason));
    stopListening();
    watched.close();
    absence.close();
  };

  return {
    async campaign(name, signal) {
      checkElectionName(name);
      const until = signal ? AbortSignal.any([signal, closing.signal]) : closing.signal;
      return detached(() =>
        awaitKey(watched, `${prefix}${name}`, { clock, signal: until }, () =>
          tryToWin(name, until).catch((error: unknown) => {
            absence.failed();
            log.debug('an election in etcd could not be held, trying again', { election: name, reason: (error as Error).message });
            return { againInMs: RETRY_MS };
          }),
        ),
      );
    },
    away: absence.setting,
    runs: etcdRuns({ etcd, log, clock, instance, elections: prefix, schedules: keys.schedules(service), closing: closing.signal }),
    async close() {
      if (closing.signal.aborted) return;
      end('The elections are closed.');
      await Promise.all([...[...held].map(({ lease }) => lease.release('the elections are closed.')), spare?.release()]);
    },
  };
}
