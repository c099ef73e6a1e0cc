import { failures } from '../failure.ts';
import { type Persistence, randomId } from './persistence.ts';
import { NO_LEASE } from './record.ts';
import { type Store } from './store.ts';

/** etcd's least TTL in seconds with its default election timeout of 1 s. */
const MIN_TTL = 2;
/** etcd's `MaxLeaseTTL`, in seconds. */
const MAX_TTL = 9_000_000_000;
/** setTimeout fires at once for anything longer. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;
/** After a restart each lease gets this on top of its TTL, as etcd gives one election timeout: clients must find the way back. */
const RESTART_GRACE_MS = 1000;

/** A lease as `LeaseTimeToLive` shows it. */
export interface LeaseState {
  readonly id: string;
  /** Seconds, as granted. */
  readonly ttl: number;
  /** Whole seconds left. */
  readonly left: number;
  readonly keys: readonly string[];
}

/** Grants leases, and deletes a lease's keys when it expires or is revoked. Methods throw `leaseNotFound` for an unknown id unless they say otherwise. */
export interface Lessor {
  has(id: string): boolean;
  /** Throws `leaseExists` or `leaseTtlTooLarge`. An absent or zero id: the server chooses; a TTL under 2 s becomes 2 s. */
  grant(ttl: number, id?: string): { readonly id: string; readonly ttl: number };
  /** Deletes the lease and all its keys, under one revision. */
  revoke(id: string): void;
  /** Gives the lease its whole TTL again and returns it, in seconds. */
  keepAlive(id: string): number;
  state(id: string): LeaseState;
  /** The keys that hang on it; none for an unknown id. */
  keysOf(id: string): Iterable<string>;
  /** Ids, the one that expires first first. */
  list(): string[];
  /** Stops the clocks: nothing expires any more. */
  close(): void;
}

interface Lease {
  readonly id: string;
  readonly ttl: number;
  readonly keys: Set<string>;
  /** On the monotonic clock, in milliseconds. */
  expiresAt: number;
  timer?: NodeJS.Timeout;
}

/** Takes up the stored leases, each with its whole TTL. */
export function createLessor(store: Store, persistence: Persistence): Lessor {
  const leases = new Map<string, Lease>();
  const leaseOfKey = new Map<string, string>();

  const find = (id: string): Lease => {
    const lease = leases.get(id);
    if (!lease) throw failures.leaseNotFound();
    return lease;
  };

  /** A renewal only moves the expiry; the timer finds out when it fires, so that renewing costs nothing. */
  function arm(lease: Lease): void {
    const left = Math.min(Math.max(lease.expiresAt - performance.now(), 1), LONGEST_TIMEOUT_MS);
    lease.timer = setTimeout(() => {
      if (performance.now() < lease.expiresAt) arm(lease);
      else expire(lease);
    }, left);
    lease.timer.unref();
  }

  function expire(lease: Lease): void {
    try {
      revoke(lease.id);
    } catch {
      // The disk is full: the keys stay until there is room, and the attempt is repeated.
      lease.expiresAt = performance.now() + RESTART_GRACE_MS;
      arm(lease);
    }
  }

  function add(id: string, ttl: number, graceMs: number): Lease {
    const lease: Lease = { id, ttl, keys: new Set(), expiresAt: performance.now() + ttl * 1000 + graceMs };
    leases.set(id, lease);
    arm(lease);
    return lease;
  }

  function attach(key: string, id: string): void {
    const before = leaseOfKey.get(key);
    if (before === id) return;
    if (before !== undefined) leases.get(before)?.keys.delete(key);
    if (id === NO_LEASE) leaseOfKey.delete(key);
    else {
      leaseOfKey.set(key, id);
      leases.get(id)?.keys.add(key);
    }
  }

  function revoke(id: string): void {
    const lease = find(id);
    const keys = [...lease.keys].sort();
    store.write((writer) => {
      for (const key of keys) writer.deleteRange({ key });
    }, id);
    leases.delete(id);
    clearTimeout(lease.timer);
  }

  for (const { id, ttl } of persistence.leases()) add(id, ttl, RESTART_GRACE_MS);
  for (const record of store.liveRecords()) attach(record.key, record.lease);
  const stop = store.onCommit((records) => {
    for (const record of records) attach(record.key, record.lease);
  });

  return {
    has: (id) => leases.has(id),
    grant(asked, wanted = NO_LEASE) {
      if (asked > MAX_TTL) throw failures.leaseTtlTooLarge();
      const id = wanted === NO_LEASE ? randomId() : wanted;
      if (leases.has(id)) throw failures.leaseExists();
      const ttl = Math.max(asked, MIN_TTL);
      try {
        persistence.saveLease({ id, ttl });
      } catch (cause) {
        throw Object.assign(failures.noSpace(), { cause });
      }
      add(id, ttl, 0);
      return { id, ttl };
    },
    revoke,
    keepAlive(id) {
      const lease = find(id);
      lease.expiresAt = performance.now() + lease.ttl * 1000;
      return lease.ttl;
    },
    state(id) {
      const lease = find(id);
      const left = Math.max(0, Math.floor((lease.expiresAt - performance.now()) / 1000));
      return { id, ttl: lease.ttl, left, keys: [...lease.keys] };
    },
    keysOf: (id) => leases.get(id)?.keys ?? [],
    list: () =>
      [...leases.values()].sort((a, b) => a.expiresAt - b.expiresAt).map(({ id }) => id),
    close() {
      stop();
      for (const lease of leases.values()) clearTimeout(lease.timer);
    },
  };
}
