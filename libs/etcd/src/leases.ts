import { castGrpcError, EtcdLeaseInvalidError, type Etcd3, type ILeaseKeepAliveResponse } from 'etcd3';
import { outside } from './outside.ts';
import type { Within } from './members.ts';
import type { Pulse } from './pulse.ts';
import type { Send } from './requests.ts';

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
export function createLeases(send: Send, pulse: Pulse): Leases {
  const keepAliveOnce = async ({ leaseClient }: Etcd3, within: Within, id: string): Promise<ILeaseKeepAliveResponse> => {
    const stream = await leaseClient.leaseKeepAlive(within);
    return new Promise((resolve, reject) => {
      stream.on('data', resolve);
      stream.on('error', (error) => reject(castGrpcError(error)));
      stream.on('end', () => reject(new Error('etcd ended the keep-alive without an answer')));
      stream.write({ ID: id });
      stream.end();
    });
  };

  return {
    async grant(ttlSeconds) {
      const { ID, TTL } = await pulse.observe(() => send(({ leaseClient }, within) => leaseClient.leaseGrant({ TTL: ttlSeconds }, within)));
      return { id: ID, ttlSeconds: Number(TTL) };
    },
    async keepAlive(id) {
      // Not observed by the pulse: the answer's revision need not be the store's newest.
      const { TTL } = await outside(() => send((member, within) => keepAliveOnce(member, within, id), { repeatable: true }));
      return Number(TTL) > 0;
    },
    async remaining(id) {
      const { TTL } = await outside(() => send(({ leaseClient }, within) => leaseClient.leaseTimeToLive({ ID: id }, within), { repeatable: true }));
      return Number(TTL) < 0 ? undefined : Number(TTL);
    },
    async revoke(id) {
      await outside(() => send(({ leaseClient }, within) => leaseClient.leaseRevoke({ ID: id }, within))).catch((error: unknown) => {
        if (!isLeaseGone(error)) throw error;
      });
    },
  };
}
