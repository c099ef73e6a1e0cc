import { type CancelTimer, type Clock } from '@talaria/base';
import type { Etcd } from '@talaria/etcd';

/** A lease that is kept alive until it is released or lost. */
export interface KeptLease {
  readonly id: string;
  /** Aborts when the lease is gone, or when it may be, because etcd could not be reached for nearly as long as it lasts. */
  readonly lost: AbortSignal;
  /** Whether it can be relied on, by the clock, now. Loses it before it answers false. */
  isHeld(): boolean;
  /** From now on the lease is kept only while `holds` answers true, too. */
  alsoWhile(holds: () => Promise<boolean>): void;
  /** Looks now, not at the next beat. */
  look(): void;
  /** Gives it up as lost, without ending it in etcd. */
  lose(reason: string): void;
  /** Ends it, and with it what hangs on it: at once if etcd can be reached, else when its time is over. Never rejects. */
  release(reason?: string): Promise<void>;
}

/** How a lease is kept. */
export interface KeepLeaseOptions {
  readonly ttlSeconds: number;
  readonly clock: Clock;
  /** Told after each beat whether etcd could be reached. */
  readonly onBeat: (reached: boolean) => void;
}

/** After a beat that failed, in ms. */
const RETRY_MS = 500;
/** How much earlier than etcd we end it: for clocks that run at different speeds, and for etcd's own coarse one. */
const MARGIN = 0.1;
const LEAST_MARGIN_MS = 200;

/** Grants a lease and keeps it. Rejects while etcd is away. */
export async function keepLease(etcd: Etcd, { ttlSeconds, clock, onBeat }: KeepLeaseOptions): Promise<KeptLease> {
  const lost = new AbortController();
  let cancelBeat: CancelTimer = () => {};
  let cancelEnd: CancelTimer = () => {};
  let beating = false;
  let again = false;
  let holds = async (): Promise<boolean> => true;
  let until = { monotonic: 0, wall: 0 };

  const end = (reason: string): void => {
    cancelBeat();
    cancelEnd();
    if (!lost.signal.aborted) lost.abort(new Error(reason));
  };
  /** Told as lost by our own clock, it may last in etcd for a little: nobody needs it any more. */
  const endAndRevoke = (reason: string): void => {
    if (lost.signal.aborted) return;
    end(reason);
    void etcd.leases.revoke(id).catch(() => {});
  };
  const isHeld = (): boolean => {
    // The monotonic clock stands still while the machine sleeps; the wall clock may be set. Whichever says that it is over is right.
    if (!lost.signal.aborted && (clock.monotonic() >= until.monotonic || clock.now() >= until.wall)) endAndRevoke(`etcd could not be reached for ${lastsMs} ms.`);
    return !lost.signal.aborted;
  };
  // Counted from before the request was sent: etcd's own count begins later, so that it never ends the lease before we do.
  const renew = (asked: typeof until): void => {
    until = { monotonic: asked.monotonic + lastsMs, wall: asked.wall + lastsMs };
    cancelEnd();
    const check = (): void => {
      // A timer may fire a little early.
      if (isHeld()) cancelEnd = clock.after(1, check, { background: true });
    };
    cancelEnd = clock.after(until.monotonic - clock.monotonic(), check, { background: true });
  };
  const now = (): typeof until => ({ monotonic: clock.monotonic(), wall: clock.now() });
  const beat = async (): Promise<void> => {
    cancelBeat();
    // One at a time; who asks meanwhile wants an answer from after the question.
    if (beating) return void (again = true);
    beating = true;
    let pause = ttlMs / 3;
    const asked = now();
    try {
      const [alive, ours] = await Promise.all([etcd.leases.keepAlive(id), holds()]);
      onBeat(true);
      if (!alive) end('etcd has ended its lease.');
      else if (!ours) endAndRevoke('its key in etcd is gone or was overwritten.');
      else if (isHeld()) renew(asked);
    } catch {
      onBeat(false);
      pause = RETRY_MS;
    }
    beating = false;
    if (lost.signal.aborted) return;
    cancelBeat = clock.after(again ? 0 : pause, () => void beat(), { background: true });
    again = false;
  };

  const asked = now();
  const { id, ttlSeconds: granted } = await etcd.leases.grant(ttlSeconds);
  const ttlMs = granted * 1000;
  const lastsMs = ttlMs - Math.max(LEAST_MARGIN_MS, ttlMs * MARGIN);
  renew(asked);
  cancelBeat = clock.after(ttlMs / 3, () => void beat(), { background: true });
  return {
    id,
    lost: lost.signal,
    isHeld,
    alsoWhile: (next) => void (holds = next),
    look: () => void beat(),
    lose: end,
    async release(reason = 'it was given up.') {
      end(reason);
      await etcd.leases.revoke(id).catch(() => {});
    },
  };
}
