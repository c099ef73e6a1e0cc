import type { Clock } from '@talaria/base';

/** A clock that stands still until it is moved; it shows another time than this machine. */
export interface StoppedClock extends Clock {
  /** Moves on, and calls what is due by then, in no particular order. */
  move(ms: number): void;
  readonly pending: number;
}

/** Makes one. */
export function stoppedClock(): StoppedClock {
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  let elapsed = 5_000_000_000;
  return {
    now: () => elapsed,
    monotonic: () => elapsed,
    after(ms, callback) {
      const timer = { at: elapsed + ms, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    move(ms) {
      elapsed += ms;
      for (const timer of [...timers]) if (timer.at <= elapsed && timers.delete(timer)) timer.callback();
    },
    get pending() {
      return timers.size;
    },
  };
}
