import { systemClock, type CancelTimer, type Logger } from '@talaria/base';
import { openSession, type Etcd, type Kept } from '@talaria/etcd';
import type { AppliedState } from './applied-state.ts';

/** What an instance has applied, on a lease in etcd. */
export interface AppliedKeeper {
  show(state: AppliedState): void;
  close(): Promise<void>;
}

/** So that a setting that is changed all the time is not followed by as many writes of every instance. */
const PAUSE_MS = 50;

/** Keeps it there: at once, and then at most every 50 ms. */
export function keepApplied(etcd: Etcd, key: string, log: Logger): AppliedKeeper {
  const session = openSession(etcd, { log });
  let kept: Kept | undefined;
  let latest = '';
  let shown = '';
  let cancelPause: CancelTimer | undefined;
  let closed = false;

  const put = (): void => {
    cancelPause = undefined;
    if (closed || latest === shown) return;
    shown = latest;
    if (kept) void kept.set(latest);
    else kept = session.keep(key, latest);
    cancelPause = systemClock.after(PAUSE_MS, put, { background: true });
  };
  return {
    show(state) {
      latest = JSON.stringify(state);
      if (!cancelPause) put();
    },
    async close() {
      closed = true;
      cancelPause?.();
      await session.release();
    },
  };
}
