import type { Clock } from '@talaria/base';

/** A clock that stands still until it is moved. */
export interface ManualClock extends Clock {
  /** Moves on by `ms`, calling what was due on the way in its order; what that starts gets its turn in between. */
  advance(ms: number): Promise<void>;
}

/** Makes a clock that shows `startMs` (since the Unix epoch; default 0). */
export function manualClock(startMs = 0): ManualClock {
  let elapsed = 0;
  let timers: { readonly at: number; readonly callback: () => void }[] = [];
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    now: () => startMs + elapsed,
    monotonic: () => elapsed,
    after(ms, callback) {
      const timer = { at: elapsed + Math.max(0, ms), callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((each) => each !== timer);
      };
    },
    async advance(ms) {
      const until = elapsed + ms;
      await settle();
      for (;;) {
        const next = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        timers = timers.filter((each) => each !== next);
        elapsed = next.at;
        next.callback();
        await settle();
      }
      elapsed = until;
    },
  };
}
