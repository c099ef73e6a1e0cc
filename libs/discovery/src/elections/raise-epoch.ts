import type { Etcd } from '@talaria/etcd';
import { readEpoch } from './token.ts';

/** Each failure means that somebody else has changed the epoch. */
const ATTEMPTS = 10;

/**
 * Raises the epoch of an election to `epoch` at least, so that the next winner's is higher; but only for its leader, whose key
 * was made at `revision`: one that was overtaken, and finds out late, changes nothing. Rejects while etcd is away.
 */
export async function raiseEpoch(etcd: Etcd, { key, revision, epoch }: { readonly key: string; readonly revision: bigint; readonly epoch: bigint }): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const [leader, last] = await Promise.all([etcd.get(key), etcd.get(`${key}/epoch`)]);
    if (leader?.modRevision !== revision || readEpoch(last?.value.toString()) >= epoch) return;
    const compare = [{ key, modRevision: revision }, { key: `${key}/epoch`, modRevision: last?.modRevision ?? 0n }];
    const { succeeded } = await etcd.transaction({ compare, success: [{ put: `${key}/epoch`, value: String(epoch) }] });
    if (succeeded) return;
  }
}
