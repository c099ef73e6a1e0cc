import { sleep, type Logger } from '@talaria/base';
import type { Etcd } from '@talaria/etcd';
import { keepLease, type KeptLease } from './kept-lease.ts';
import type { ScheduleLock, ScheduleLocks } from './schedule-locks.ts';
import { watchKeys, type WatchedKeys } from './watched-keys.ts';

/** Where the locks of schedules are. */
export interface EtcdLocksOptions {
  readonly etcd: Etcd;
  readonly log: Logger;
  /** What all keys begin with: `talaria/<namespace>/schedules/`. */
  readonly prefix: string;
  /** Who holds a lock, for people who look: the id of the instance. */
  readonly holder: string;
  /** After how long the locks of an instance that died go to another one, in seconds. Default 10; etcd's own minimum is 2 by default. */
  readonly ttlSeconds?: number | undefined;
}

/** When nothing was heard of a key for this long it is looked at again, in ms: no watch has to be perfect. */
const LOOK_AGAIN_MS = 5_000;
/** After a request that failed, in ms. */
const RETRY_MS = 500;

/**
 * Locks in etcd, two keys each: `<schedule>`, on a lease of its holder, and `<schedule>/ran`, on a lease that lasts for as long
 * as the last run counts. So etcd's own clock measures both, and no instance compares its clock with another's.
 */
export function etcdLocks({ etcd, log, prefix, holder, ttlSeconds = 10 }: EtcdLocksOptions): ScheduleLocks {
  const watched = new Map<string, WatchedKeys>();
  const leases = new Set<KeptLease>();

  const keysOf = (schedule: string): WatchedKeys => {
    const keys = watched.get(schedule) ?? watchKeys(etcd, `${prefix}${schedule}`, log);
    watched.set(schedule, keys);
    return keys;
  };
  /** Resolves with what `look` finds: looks now, at each change of the key, and every few seconds, for as long as it takes. */
  const awaitKey = async <T>(keys: WatchedKeys, key: string, signal: AbortSignal, look: () => Promise<T | undefined>): Promise<T> => {
    for (;;) {
      signal.throwIfAborted();
      // Listened to before the look, so that no change is missed.
      const changed = new AbortController();
      const stop = keys.onChange(key, () => changed.abort());
      try {
        let pause = LOOK_AGAIN_MS;
        try {
          const found = await look();
          if (found !== undefined) return found;
        } catch (error) {
          pause = RETRY_MS;
          log.debug('a lock in etcd could not be looked at, trying again', { key, reason: (error as Error).message });
        }
        await sleep(pause, { signal: AbortSignal.any([signal, changed.signal]) }).catch(() => {});
      } finally {
        stop();
      }
    }
  };

  const held = (schedule: string, key: string, lease: KeptLease): ScheduleLock => {
    const keys = keysOf(schedule);
    const stop = keys.onChange(key, (entry) => {
      // A change from before the lock was ours may be heard late.
      if (entry?.lease !== lease.id) void etcd.get(key).then((now) => now?.lease !== lease.id && lease.lose('The key in etcd is gone or was overwritten.'), () => {});
    });
    lease.lost.addEventListener('abort', stop, { once: true });
    return {
      lost: lease.lost,
      async due(signal) {
        await awaitKey(keys, `${key}/ran`, signal, async () => ((await etcd.get(`${key}/ran`)) ? undefined : true));
      },
      async ran(ms) {
        if (ms <= 0) return;
        const { id } = await etcd.leases.grant(Math.ceil(ms / 1000));
        const value = JSON.stringify({ instance: holder, at: new Date().toISOString() });
        const { succeeded } = await etcd.transaction({ compare: [{ key, lease: lease.id }], success: [{ put: `${key}/ran`, value, lease: id }] });
        if (succeeded) return;
        await etcd.leases.revoke(id).catch(() => {});
        throw new Error(`The lock of ${schedule} is held by another instance.`);
      },
      async release() {
        leases.delete(lease);
        await lease.release();
      },
    };
  };

  return {
    acquire(schedule, signal) {
      const key = `${prefix}${schedule}`;
      return awaitKey(keysOf(schedule), key, signal, async () => {
        if (await etcd.get(key)) return undefined;
        const lease = await keepLease(etcd, ttlSeconds);
        let won = false;
        try {
          won = (await etcd.transaction({ compare: [{ key, modRevision: 0n }], success: [{ put: key, value: holder, lease: lease.id }] })).succeeded;
        } finally {
          // Also when the answer was lost: should the key be there all the same, it goes with its lease.
          if (!won || signal.aborted) await lease.release();
        }
        if (!won || signal.aborted) return undefined;
        leases.add(lease);
        return held(schedule, key, lease);
      });
    },
    async close() {
      for (const keys of watched.values()) keys.close();
      await Promise.all([...leases].map((lease) => lease.release()));
      leases.clear();
    },
  };
}
