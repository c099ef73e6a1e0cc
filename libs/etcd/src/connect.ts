// First, because it patches grpc-js, whose channels otherwise wait for ever for a peer that does not answer a connect
// (https://github.com/grpc/grpc-node/issues/2785).
import 'nice-grpc';
import type { IRangeRequest, IRangeResponse } from 'etcd3';
import type { Checker, LiveSetting } from '@talaria/base';
import { openConnection, type ConnectionOptions } from './connection.ts';
import { createLeases, type Leases } from './leases.ts';
import { isUnreachable } from './members.ts';
import { createPulse, type Disturbance, type EtcdState } from './pulse.ts';
import { toCompare, toRequest } from './transaction.ts';
import { endOfPrefix, toEntry, type EtcdEntry, type Transaction, type TransactionResult } from './types.ts';
import { openWatchStream, type WatchStream, type WatchStreamOptions } from './watch-stream.ts';

export type { EtcdState } from './pulse.ts';

/** How etcd is reached, and watched over. */
export interface EtcdOptions extends ConnectionOptions {
  /** How often etcd is asked whether it is there while a session or a watch stands on it, in ms. Default 1,000. */
  readonly pulseMs?: number;
}

/**
 * An etcd client. A request fails when etcd is away, after `requestTimeoutMs` at the latest; sessions and watches
 * (`openSession`, `watchPrefix`) never do. Everything runs outside of the call that happens to start it.
 */
export interface Etcd {
  readonly endpoints: readonly string[];
  readonly requestTimeoutMs: number;
  /** Whether it can be reached, as the last request or pulse found. */
  readonly state: LiveSetting<EtcdState>;
  get(key: string): Promise<EtcdEntry | undefined>;
  /** Every key that starts with `prefix`, sorted, as of one revision of the store. */
  list(prefix: string): Promise<{ readonly revision: bigint; readonly entries: readonly EtcdEntry[] }>;
  /** Rejects for a lease that is gone. */
  put(key: string, value: string | Uint8Array, options?: { readonly lease?: string }): Promise<void>;
  /** Whether there was such a key. */
  delete(key: string): Promise<boolean>;
  /** False if there is such a key already. */
  createIfAbsent(key: string, value: string | Uint8Array): Promise<boolean>;
  /** Puts `value` if the key was not changed since `expected` was read (undefined: if there is none); false if it was. */
  compareAndSet(key: string, expected: EtcdEntry | undefined, value: string | Uint8Array): Promise<boolean>;
  transaction(transaction: Transaction): Promise<TransactionResult>;
  /** Leases by hand; `openSession` is what programs want. */
  readonly leases: Leases;
  /** One watch on one stream, with all its ways to end; `watchPrefix` is what programs want. */
  openWatchStream(prefix: string, options: WatchStreamOptions): WatchStream;
  /** Tells when etcd goes away, comes back or has lost its data, and when this client is closed; the answer stops that. */
  onDisturbance(listener: (what: Disturbance) => void): () => void;
  /** Fails while etcd cannot be reached. Not critical: what was last known goes on to be used. */
  checker(): Checker;
  /** Also ends watches, and sessions without releasing them: their keys go when the lease's time is over. */
  close(): void;
}

/** The key that is read to see whether etcd is there. Nothing is ever there; where etcd has users, each must be permitted to read it. */
export const PULSE_KEY = 'talaria';

/** Connects when it is first used. Throws for endpoints that are malformed, never because etcd is away. */
export function connectEtcd({ pulseMs = 1000, ...options }: EtcdOptions): Etcd {
  const { log } = options;
  const { endpoints, requestTimeoutMs, members, login, send } = openConnection(options, () => pulse.moved());
  const range = (request: IRangeRequest): Promise<IRangeResponse> => send((member, within) => member.kv.range(request, within), { repeatable: true });
  const ask = (): Promise<IRangeResponse> => range({ key: Buffer.from(PULSE_KEY), count_only: true });
  const pulse = createPulse({ endpoints, log, pulseMs, ask, isUnreachable });
  let closed = false;

  const etcd: Etcd = {
    endpoints,
    requestTimeoutMs,
    state: pulse.state,
    async get(key) {
      const { kvs } = await pulse.observe(() => range({ key: Buffer.from(key) }));
      return kvs[0] && toEntry(kvs[0]);
    },
    async list(prefix) {
      const { header, kvs } = await pulse.observe(() => range({ key: Buffer.from(prefix), range_end: endOfPrefix(prefix) }));
      return { revision: BigInt(header.revision), entries: kvs.map(toEntry) };
    },
    async put(key, value, { lease } = {}) {
      const request = { key: Buffer.from(key), value: Buffer.from(value), ...(lease === undefined ? {} : { lease }) };
      await pulse.observe(() => send((member, within) => member.kv.put(request, within)));
    },
    async delete(key) {
      const { deleted } = await pulse.observe(() => send((member, within) => member.kv.deleteRange({ key: Buffer.from(key) }, within)));
      return deleted !== '0';
    },
    createIfAbsent: (key, value) => etcd.compareAndSet(key, undefined, value),
    async compareAndSet(key, expected, value) {
      const compare = [{ key, modRevision: expected?.modRevision ?? 0n }];
      return (await etcd.transaction({ compare, success: [{ put: key, value }] })).succeeded;
    },
    async transaction({ compare, success }) {
      const request = { compare: compare.map(toCompare), success: success.map(toRequest), failure: [] };
      const { header, succeeded } = await pulse.observe(() => send((member, within) => member.kv.txn(request, within)));
      return { succeeded, revision: BigInt(header.revision) };
    },
    leases: createLeases(send, pulse),
    openWatchStream: (prefix, options) => openWatchStream(members, login, prefix, requestTimeoutMs, options),
    onDisturbance: pulse.onDisturbance,
    checker: () => ({
      name: 'etcd',
      async check() {
        // No revision: it would change with every write, and so would what is published of this check.
        await pulse.observe(ask);
        return { endpoints };
      },
    }),
    close() {
      if (closed) return;
      closed = true;
      pulse.stop();
      members.close();
    },
  };
  return etcd;
}
