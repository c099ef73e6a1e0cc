import { EtcdLeaseInvalidError, type Etcd3, type ILeaseKeepAliveResponse } from 'etcd3';
import { outside } from './outside.ts';
import type { Pulse } from './pulse.ts';

/** Leases, one request at a time. */
export interface Leases {
  /** A new lease. etcd may choose a longer time than asked for. */
  grant(ttlSeconds: number): Promise<{ readonly id: string; readonly ttlSeconds: number }>;
  /** Starts the lease's time anew; false if the lease is gone. Rejects while etcd is away. */
  keepAlive(id: string): Promise<boolean>;
  /** How many seconds the lease still has, by etcd's clock; undefined if it is gone. */
  remaining(id: string): Promise<number | undefined>;
  /** Ends the lease, and with it the keys that hang on it. One that is gone already is fine. */
  revoke(id: string): Promise<void>;
}

/** Whether etcd refused because it does not know the lease. */
export function isLeaseGone(error: unknown): boolean {
  return error instanceof EtcdLeaseInvalidError || (error instanceof Error && error.message.includes('requested lease not found'));
}

/** The leases of a client, without any of etcd3's own upkeep, which gives up when etcd is away for twice the lease's time. */
export function createLeases(client: Etcd3, within: () => { deadline: number }, pulse: Pulse): Leases {
  const { leaseClient } = client;

  const keepAliveOnce = async (id: string): Promise<ILeaseKeepAliveResponse> => {
    const stream = await leaseClient.leaseKeepAlive(within());
    return new Promise((resolve, reject) => {
      stream.on('data', resolve);
      stream.on('error', reject);
      stream.on('end', () => reject(new Error('etcd ended the keep-alive without an answer')));
      stream.write({ ID: id });
      stream.end();
    });
  };

  return {
    async grant(ttlSeconds) {
      const { ID, TTL } = await pulse.observe(() => leaseClient.leaseGrant({ TTL: ttlSeconds }, within()));
      return { id: ID, ttlSeconds: Number(TTL) };
    },
    async keepAlive(id) {
      // Not observed by the pulse: the answer's revision need not be the store's newest.
      const { TTL } = await outside(() => keepAliveOnce(id));
      return Number(TTL) > 0;
    },
    async remaining(id) {
      const { TTL } = await outside(() => leaseClient.leaseTimeToLive({ ID: id }, within()));
      return Number(TTL) < 0 ? undefined : Number(TTL);
    },
    async revoke(id) {
      await outside(() => leaseClient.leaseRevoke({ ID: id }, within())).catch((error: unknown) => {
        if (!isLeaseGone(error)) throw error;
      });
    },
  };
}
