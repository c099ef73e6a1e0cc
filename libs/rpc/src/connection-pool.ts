import { detached } from '@talaria/context';
import { transportFor } from './transport-for.ts';
import type { Connection, ConnectOptions, Transport } from './transport.ts';

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

/** Makes an empty pool. */
export function connectionPool(transports: readonly Transport[], options: ConnectOptions, releaseGraceMs: number): ConnectionPool {
  const held = new Map<string, { readonly connection: Connection; holders: number }>();
  const closing = new Set<Promise<void>>();
  const schemes = new Set(transports.flatMap((transport) => transport.schemes));

  const shut = (connection: Connection, graceMs: number): Promise<void> => {
    const done = detached(() => connection.close({ graceMs })).finally(() => closing.delete(done));
    closing.add(done);
    return done;
  };

  return {
    takes: (address) => schemes.has(address.split('://', 1)[0] ?? ''),
    acquire(address, _peer) {
      let entry = held.get(address);
      if (!entry) {
        entry = { connection: detached(() => transportFor(transports, address).connect(address, options)), holders: 0 };
        held.set(address, entry);
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
      const all = [...held.values()].map(({ connection }) => shut(connection, graceMs));
      held.clear();
      await Promise.all([...all, ...closing]);
    },
  };
}
