import { detached } from '@talaria/context';
import { pooledConnection, type PooledConnection } from './pooled-connection.ts';
import { transportFor } from './transport-for.ts';
import type { Connection, ConnectOptions, Keepalive, Transport } from './transport.ts';

/** The limits of a pool; each connection keeps them for itself. */
export interface PoolOptions {
  /** How many calls may be in flight on one socket before another one is opened; a peer may set less. Default 100. */
  readonly maxCallsPerSocket?: number | undefined;
  /** How many sockets a connection may have. Default 8. */
  readonly maxSockets?: number | undefined;
  /** How long a socket may be without a call before it is closed, in ms. Default 5 minutes. */
  readonly idleMs?: number | undefined;
  /** How old a socket may become before another takes its place, in ms (± 10 %): that brings balance back behind balancers of sockets. Default 30 minutes. */
  readonly maxAgeMs?: number | undefined;
  /** How peers of our own are watched while calls are in flight. Default: a ping every 300 ms, 800 ms for its answer. */
  readonly keepalive?: Keepalive | undefined;
}

/**
 * Together they find a peer that froze within 1.2 s, of which 0.8 s are the longest that a peer's event loop may be held up: garbage is
 * collected, and JSON read, in less.
 */
const KEEPALIVE: Keepalive = { intervalMs: 300, timeoutMs: 800 };
const MINUTE_MS = 60_000;
/** Sockets are looked at that often, at the least. */
const SWEEP_MS = 30_000;

/** The connections of a process, one an address, shared by its clients. */
export interface ConnectionPool {
  /** Whether a transport takes the address. */
  takes(address: string): boolean;
  /**
   * The connection to an address; give it back with `release`. `ours`: the peer is an instance of this platform, which takes
   * frequent pings.
   */
  acquire(address: string, peer: { readonly ours: boolean }): Connection;
  /** Closes the connection when nobody holds it any more; calls in flight have `graceMs`. */
  release(address: string): void;
  /** Closes all. */
  close(graceMs: number): Promise<void>;
}

interface Held {
  readonly connection: PooledConnection;
  ours: boolean;
  holders: number;
}

/** Makes an empty pool. */
export function connectionPool(transports: readonly Transport[], options: ConnectOptions & PoolOptions, releaseGraceMs: number): ConnectionPool {
  const { maxCallsPerSocket = 100, maxSockets = 8, idleMs = 5 * MINUTE_MS, maxAgeMs = 30 * MINUTE_MS, keepalive = KEEPALIVE, ...connect } = options;
  const limits = { maxCalls: maxCallsPerSocket, maxSockets, idleMs, maxAgeMs };
  const held = new Map<string, Held>();
  const closing = new Set<Promise<void>>();
  const schemes = new Set(transports.flatMap((transport) => transport.schemes));
  let sweeper: NodeJS.Timeout | undefined;

  const sweep = (): void => {
    for (const { connection } of held.values()) connection.sweep();
  };
  const shut = (connection: Connection, graceMs: number): Promise<void> => {
    const done = detached(() => connection.close({ graceMs })).finally(() => closing.delete(done));
    closing.add(done);
    return done;
  };
  const hold = (address: string): Held => {
    const transport = transportFor(transports, address);
    const connection = pooledConnection(address, () => transport.connect(address, entry.ours ? { ...connect, keepalive } : connect), limits);
    const entry: Held = { connection, ours: false, holders: 0 };
    held.set(address, entry);
    // One timer for all sockets.
    sweeper ??= detached(() => setInterval(sweep, Math.min(SWEEP_MS, Math.max(5, Math.min(idleMs, maxAgeMs) / 5)))).unref();
    return entry;
  };

  return {
    takes: (address) => schemes.has(address.split('://', 1)[0] ?? ''),
    acquire(address, { ours }) {
      const entry = held.get(address) ?? hold(address);
      if (ours && !entry.ours) {
        entry.ours = true;
        entry.connection.renew();
      }
      entry.holders++;
      return entry.connection;
    },
    release(address) {
      const entry = held.get(address);
      if (!entry || --entry.holders > 0) return;
      held.delete(address);
      void shut(entry.connection, releaseGraceMs);
    },
    async close(graceMs) {
      clearInterval(sweeper);
      sweeper = undefined;
      const all = [...held.values()].map(({ connection }) => shut(connection, graceMs));
      held.clear();
      await Promise.all([...all, ...closing]);
    },
  };
}
