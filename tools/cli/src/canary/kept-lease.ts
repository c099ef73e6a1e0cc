import { sleep } from '@talaria/base';
import type { Etcd } from '@talaria/etcd';

/** How long what hangs on the lease outlives this process, in seconds. */
export const TTL_SECONDS = 10;

/** A lease that is kept until it is given back. */
export interface KeptLease {
  readonly id: string;
  /** Aborts when the lease is gone, or may be because etcd was away for too long. */
  readonly lost: AbortSignal;
  /** Stops keeping it; with `revoke` it ends at once, if etcd can be asked. Never rejects. */
  release(options: { readonly revoke: boolean }): Promise<void>;
}

/** Takes a lease and keeps it alive. Rejects when etcd is away. */
export async function keepLease(etcd: Etcd): Promise<KeptLease> {
  let until = performance.now() + TTL_SECONDS * 1000;
  const { id } = await etcd.leases.grant(TTL_SECONDS);
  const lost = new AbortController();
  const stop = new AbortController();
  const keep = async (): Promise<void> => {
    for (;;) {
      await sleep((TTL_SECONDS * 1000) / 5, { signal: stop.signal });
      // Counted from before the request: then it is never later than etcd's own.
      const asked = performance.now();
      const kept = await etcd.leases.keepAlive(id).catch(() => undefined);
      if (kept) until = asked + TTL_SECONDS * 1000;
      if (kept === false || performance.now() > until) return lost.abort(new Error('its lease ran out, because etcd could not be asked for too long'));
    }
  };
  const keeping = keep().catch(() => {});
  return {
    id,
    lost: lost.signal,
    async release({ revoke }) {
      stop.abort();
      await keeping;
      if (revoke) await etcd.leases.revoke(id).catch(() => {});
    },
  };
}
