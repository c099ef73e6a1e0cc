import { systemClock, type Clock } from '@talaria/base';

/** A clock whose timers fire as it is moved. */
export interface MovedClock extends Clock {
  /** Fires what is due by then, and lets what follows of it happen. */
  advance(ms: number): Promise<void>;
}

/** Makes one. */
export function movedClock(): MovedClock {
  let now = 1_000;
  let timers: { readonly at: number; readonly fire: () => void }[] = [];
  return {
    ...systemClock,
    now: () => now,
    monotonic: () => now,
    after(ms, fire) {
      const timer = { at: now + ms, fire };
      timers.push(timer);
      return () => void (timers = timers.filter((other) => other !== timer));
    },
    async advance(ms) {
      now += ms;
      const due = timers.filter(({ at }) => at <= now);
      timers = timers.filter(({ at }) => at > now);
      for (const { fire } of due) fire();
      await new Promise(setImmediate);
    },
  };
}
