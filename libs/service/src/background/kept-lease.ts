import { systemClock, type CancelTimer } from '@talaria/base';
import type { Etcd } from '@talaria/etcd';

/** A lease that is kept alive until it is released or lost. */
export interface KeptLease {
  readonly id: string;
  /** Aborts when the lease is gone, or when it may be, because etcd could not be reached for as long as it lasts. */
  readonly lost: AbortSignal;
  /** Gives it up as lost. */
  lose(reason: string): void;
  /** Ends it, and with it what hangs on it: at once if etcd can be reached, else when its time is over. Never rejects. */
  release(): Promise<void>;
}

/** After a keep-alive that failed, in ms. */
const RETRY_MS = 500;

/** Grants a lease and keeps it. Rejects while etcd is away. */
export async function keepLease(etcd: Etcd, ttlSeconds: number): Promise<KeptLease> {
  const lost = new AbortController();
  let cancelBeat: CancelTimer = () => {};
  let cancelEnd: CancelTimer = () => {};
  const end = (reason: string): void => {
    cancelBeat();
    cancelEnd();
    if (!lost.signal.aborted) lost.abort(new Error(reason));
  };
  // Counted from before the request was sent: etcd's own count begins later, so that it never ends the lease before we do.
  const lasts = (askedAt: number): void => {
    cancelEnd();
    cancelEnd = systemClock.after(askedAt + ttlMs - systemClock.monotonic(), () => end(`etcd could not be reached for ${ttlMs} ms.`), { background: true });
  };
  const beat = async (): Promise<void> => {
    const askedAt = systemClock.monotonic();
    let pause = ttlMs / 3;
    try {
      if (!(await etcd.leases.keepAlive(id))) end('etcd has ended the lease.');
      else if (!lost.signal.aborted) lasts(askedAt);
    } catch {
      pause = RETRY_MS;
    }
    if (!lost.signal.aborted) cancelBeat = systemClock.after(pause, () => void beat(), { background: true });
  };

  const askedAt = systemClock.monotonic();
  const { id, ttlSeconds: granted } = await etcd.leases.grant(ttlSeconds);
  const ttlMs = granted * 1000;
  lasts(askedAt);
  cancelBeat = systemClock.after(ttlMs / 3, () => void beat(), { background: true });
  return {
    id,
    lost: lost.signal,
    lose: end,
    async release() {
      end('It was released.');
      await etcd.leases.revoke(id).catch(() => {});
    },
  };
}
