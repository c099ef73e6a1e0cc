import type { IKeyValue } from 'etcd3';

/** A key and what etcd says of it. */
export interface EtcdEntry {
  readonly key: string;
  readonly value: Buffer;
  /** The store's revision when the key was last put. */
  readonly modRevision: bigint;
  /** The store's revision when the key was made. */
  readonly createRevision: bigint;
  /** The id of the lease that the key hangs on; `0` for none. */
  readonly lease: string;
}

/** One change below a watched prefix. `revision` of a deletion: the store's when the key was deleted, so that it can be told what else the same transaction did. */
export type WatchEvent = { readonly type: 'put'; readonly entry: EtcdEntry } | { readonly type: 'delete'; readonly key: string; readonly revision: bigint };

/** What must hold for a transaction to succeed. */
export type Comparison =
  /** The key was last put at this revision; `0n`: there is no such key. */
  | { readonly key: string; readonly modRevision: bigint }
  /** The key hangs on this lease. */
  | { readonly key: string; readonly lease: string }
  /** No key below the prefix was put after this revision (deletions are not seen). */
  | { readonly prefix: string; readonly unchangedSince: bigint };

/** What a transaction does. */
export type Operation = { readonly put: string; readonly value: string | Uint8Array; readonly lease?: string } | { readonly delete: string };

/** All or nothing. */
export interface Transaction {
  /** All must hold. */
  readonly compare: readonly Comparison[];
  /** Done if they hold; no key twice. */
  readonly success: readonly Operation[];
}

/** What became of a transaction. */
export interface TransactionResult {
  /** Whether the comparisons held. */
  readonly succeeded: boolean;
  /** The store's revision. */
  readonly revision: bigint;
}

/** An entry as etcd3 gives it. */
export function toEntry(kv: IKeyValue): EtcdEntry {
  return { key: kv.key.toString(), value: kv.value, modRevision: BigInt(kv.mod_revision), createRevision: BigInt(kv.create_revision), lease: kv.lease };
}

/** The end of the range of all keys that start with `prefix`: the prefix with its last byte one up. */
export function endOfPrefix(prefix: string): Buffer {
  const end = Buffer.from(prefix);
  for (let at = end.length - 1; at >= 0; at--) {
    const byte = end[at] ?? 0xff;
    if (byte < 0xff) {
      end[at] = byte + 1;
      return end.subarray(0, at + 1);
    }
  }
  // To etcd, this is "every key from the start on".
  return Buffer.from([0]);
}
