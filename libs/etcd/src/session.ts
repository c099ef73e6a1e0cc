import { mutableSetting, type LiveSetting, type Logger } from '@talaria/base';
import { createComplaint } from './complaint.ts';
import type { Etcd } from './connect.ts';
import { createTurns } from './in-turn.ts';
import { isLeaseGone } from './leases.ts';
import { outside } from './outside.ts';
import { backoffMs, createWaker } from './waker.ts';

/** How a session is kept. */
export interface SessionOptions {
  readonly log: Logger;
  /** How long its keys outlive the process, in seconds. Default 10; etcd's own minimum is 2 by default. */
  readonly ttlSeconds?: number;
}

/** `pending`: not all that is kept is in etcd yet; `held`: it was, when last looked; `lost`: etcd said that the lease is gone, and it is being put again. */
export type SessionState = 'pending' | 'held' | 'lost';

/** One key that is kept. */
export interface Kept {
  /** Resolves when the key is in etcd for the first time. Never rejects; stays pending while etcd is away. */
  readonly ready: Promise<void>;
  /** Keeps another value from now on. Resolves after one attempt to put it; the session goes on to try. */
  set(value: string): Promise<void>;
  /** Removes the key, if it still hangs on this session's lease. Resolves after one attempt; the session goes on to try. */
  release(): Promise<void>;
}

/** Keys on one lease, kept in etcd whatever happens to it. */
export interface Session {
  readonly state: LiveSetting<SessionState>;
  /** Puts the key, over whatever is there, and keeps it there until released. */
  keep(key: string, value: string): Kept;
  /** Removes all keys by ending the lease. If etcd cannot be reached now, they end with the lease's time. */
  release(): Promise<void>;
}

interface KeptKey {
  value: string;
  /** The lease that it was put on, when we last looked. */
  on: string | undefined;
  readonly setReady: () => void;
}

const DEFAULT_TTL_SECONDS = 10;

/**
 * Every third of the lease's time it is kept alive, *and* each key is read back and its lease compared: one without the other
 * does not notice that a key was overwritten or deleted, or that the store was replaced. A lease that is gone is granted
 * again; while etcd is unreachable the same one is kept, for etcd gives leases their full time after a restart.
 */
export function openSession(etcd: Etcd, { log, ttlSeconds = DEFAULT_TTL_SECONDS }: SessionOptions): Session {
  const state = mutableSetting<SessionState>('pending');
  const keys = new Map<string, KeptKey>();
  /** Released keys that the next round removes, again: a put that was given up at its deadline may have arrived late. */
  const leaving = new Set<string>();
  const waker = createWaker();
  const inTurn = createTurns();
  const complaint = createComplaint(etcd, log, 'a session in etcd could not be kept', {});
  let lease: { readonly id: string; readonly ttlSeconds: number } | undefined;
  let released = false;

  const lost = (): void => {
    lease = undefined;
    for (const kept of keys.values()) kept.on = undefined;
    leaving.clear();
    if (state.get() !== 'held') return;
    state.set('lost');
    log.warn('the lease in etcd is gone: putting its keys on a new one', { keys: [...keys.keys()] });
  };

  const put = (key: string, kept: KeptKey, on: string): Promise<void> =>
    inTurn(key, async () => {
      for (let value: string | undefined; value !== kept.value; ) {
        if (released || keys.get(key) !== kept) return;
        value = kept.value;
        await etcd.put(key, value, { lease: on });
      }
      kept.on = on;
      kept.setReady();
    });

  const remove = (key: string, on: string): Promise<void> =>
    inTurn(key, async () => {
      if (keys.has(key)) return; // Kept again meanwhile: the put will overwrite it.
      await etcd.transaction({ compare: [{ key, lease: on }], success: [{ delete: key }] });
    });

  /** Looks whether the key is there, and ours. */
  const verify = async (key: string, kept: KeptKey, on: string): Promise<void> => {
    const { value } = kept;
    const found = await inTurn(key, () => etcd.get(key));
    if (released || keys.get(key) !== kept || kept.value !== value || (found?.lease === on && found.value.toString() === value)) return;
    if (kept.on === on) log.warn(found ? 'a key of ours in etcd was overwritten: putting it again' : 'a key of ours in etcd is gone: putting it again', { key });
    await put(key, kept, on);
  };

  /** One round: afterwards the lease is alive and every key hangs on it, or it throws. */
  const round = async (): Promise<void> => {
    const fresh = lease === undefined;
    if (!lease) {
      const granted = await etcd.leases.grant(ttlSeconds);
      if (released) return void (await etcd.leases.revoke(granted.id));
      lease = granted;
    } else if (!(await etcd.leases.keepAlive(lease.id))) {
      lost();
      return round();
    }
    const { id } = lease;
    try {
      for (const key of leaving) {
        await remove(key, id);
        leaving.delete(key);
      }
      await Promise.all([...keys].map(([key, kept]) => (fresh || kept.on !== id ? put(key, kept, id) : verify(key, kept, id))));
    } catch (error) {
      if (!isLeaseGone(error)) throw error;
      lost();
      throw error;
    }
    if (state.get() === 'lost') log.info('registered in etcd again', { keys: [...keys.keys()] });
    state.set('held');
  };

  const run = async (): Promise<void> => {
    let failures = 0;
    while (!released) {
      if (keys.size === 0 && !lease) {
        await waker.sleep(60_000);
        continue;
      }
      try {
        await round();
        failures = 0;
        complaint.worked();
        if (!released) await waker.sleep(((lease?.ttlSeconds ?? ttlSeconds) * 1000) / 3);
      } catch (error) {
        failures++;
        if (released) break;
        if (!isLeaseGone(error)) complaint.failed(error);
        await waker.sleep(backoffMs(failures));
      }
    }
  };

  // Unreachable means wait: the lease may well outlive it. Back, or without its data, means look at once.
  const stopListening = etcd.onDisturbance((what) => {
    if (what === 'closed') released = true;
    if (what !== 'unreachable') waker.wake();
  });
  void outside(run);

  return {
    state,
    keep(key, value) {
      if (released) throw new Error(`The session is released: it cannot keep ${key}.`);
      if (keys.has(key)) throw new Error(`The session keeps ${key} already: release it first.`);
      const { promise: ready, resolve: setReady } = Promise.withResolvers<void>();
      const kept: KeptKey = { value, on: undefined, setReady };
      keys.set(key, kept);
      leaving.delete(key);
      waker.wake();
      return {
        ready,
        async set(next) {
          if (kept.value === next || keys.get(key) !== kept) return;
          kept.value = next;
          // Not on the lease yet: the round that puts it there takes this value.
          if (released || !lease || kept.on !== lease.id) return;
          await put(key, kept, lease.id).catch(() => waker.wake());
        },
        async release() {
          if (keys.get(key) !== kept) return;
          keys.delete(key);
          if (released || !lease) return;
          leaving.add(key);
          await remove(key, lease.id).catch(() => waker.wake());
        },
      };
    },
    async release() {
      if (released) return;
      released = true;
      stopListening();
      waker.wake();
      const held = lease;
      if (!held) return;
      await etcd.leases.revoke(held.id).catch((error: unknown) => {
        log.warn('a lease in etcd could not be ended: its keys go when its time is over', { ttlSeconds: held.ttlSeconds, reason: (error as Error).message });
      });
    },
  };
}
