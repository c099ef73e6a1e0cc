import { systemClock, type CancelTimer, type Clock } from '@talaria/base';
import { detached } from '@talaria/context';

/** Nobody needs hedges and limits of attempts more exact than that. */
const TICK_MS = 2;
/** Timers of the same slot differ by a multiple of about a second. */
const SLOTS = 512;

/** A timer that is pending, to be given back to `cancel`. */
export interface CoarseTimer {
  callback: (() => void) | undefined;
  tick: number;
  before: CoarseTimer | undefined;
  after: CoarseTimer | undefined;
  /** Of a clock other than this machine's. */
  cancelOther: CancelTimer | undefined;
}

/**
 * Timers that nearly always are cancelled: hedges, limits of attempts. On the time of this machine they share one real timer, are
 * never early and up to some ms late, and do not keep the process alive. They fire outside of every call, and only after what had
 * already arrived on sockets was read: a process that was held up must not take its own delay for a peer's.
 */
export interface CoarseTimers {
  /** Calls `callback` once, `ms` after `now` (which `clock.monotonic()` shows). */
  after(clock: Clock, now: number, ms: number, callback: () => void): CoarseTimer;
  /** Harmless for one that fired. */
  cancel(timer: CoarseTimer): void;
}

/** Makes a timer wheel. It holds nothing while no timer is pending. */
export function coarseTimers(): CoarseTimers {
  /** The first timer of each slot. */
  const slots: (CoarseTimer | undefined)[] = Array.from({ length: SLOTS }, () => undefined);
  let pending = 0;
  /** All timers up to this one have fired. */
  let done = 0;
  let real: NodeJS.Timeout | undefined;
  let wakesAt = Infinity;

  const unlink = (timer: CoarseTimer): void => {
    const { before, after } = timer;
    if (before) before.after = after;
    else slots[timer.tick % SLOTS] = after;
    if (after) after.before = before;
    timer.before = timer.after = timer.callback = undefined;
    pending--;
  };

  const wakeAt = (tick: number): void => {
    clearTimeout(real);
    wakesAt = tick;
    // One more: a real timer may be a fraction of a ms early.
    real = detached(() => setTimeout(afterReading, Math.max(0, tick * TICK_MS - systemClock.monotonic()) + 1));
    real.unref();
  };

  /** `setImmediate` comes after sockets were read; twice after a delay, since one reading may not have taken all. */
  const afterReading = (): void => {
    const late = systemClock.monotonic() > (wakesAt + 5) * TICK_MS;
    setImmediate(late ? () => void setImmediate(fire) : fire);
  };

  const fire = (): void => {
    const now = Math.floor(systemClock.monotonic() / TICK_MS);
    const due: (() => void)[] = [];
    for (let tick = Math.max(done + 1, now - SLOTS + 1); tick <= now; tick++) {
      for (let timer = slots[tick % SLOTS]; timer; ) {
        const { after, callback } = timer;
        if (timer.tick <= now && callback) {
          due.push(callback);
          unlink(timer);
        }
        timer = after;
      }
    }
    done = now;
    wakesAt = Infinity;
    real = undefined;
    if (pending > 0) wakeAt(next(now));
    for (const callback of due) callback();
  };

  /** The next tick at which a slot is not empty: at the latest, all are looked at again. */
  const next = (now: number): number => {
    for (let tick = now + 1; tick < now + SLOTS; tick++) if (slots[tick % SLOTS]) return tick;
    return now + SLOTS;
  };

  return {
    after(clock, now, ms, callback) {
      if (clock !== systemClock) {
        return { callback: undefined, tick: 0, before: undefined, after: undefined, cancelOther: detached(() => clock.after(ms, callback)) };
      }
      const tick = Math.max(Math.ceil((now + ms) / TICK_MS), done + 1);
      const after = slots[tick % SLOTS];
      const timer: CoarseTimer = { callback, tick, before: undefined, after, cancelOther: undefined };
      if (after) after.before = timer;
      slots[tick % SLOTS] = timer;
      pending++;
      if (tick < wakesAt) wakeAt(tick);
      return timer;
    },
    cancel(timer) {
      timer.cancelOther?.();
      if (timer.callback) unlink(timer);
    },
  };
}
