import type { Clock } from '@talaria/base';

/** Time that passes only when it is told to, at once, and without giving anything else a turn. */
export interface SimulatedTime extends Clock {
  /** Lets time pass until `ms` since the beginning, calling what is due on the way in its order. */
  runUntil(ms: number): void;
  /** Calls `work` so many times a second, from now until `untilMs`: as chance has it (a Poisson process), the same in each run. */
  arrivals(perSecond: number, untilMs: number, work: (count: number) => void): void;
  /** Chance, the same in each run: from 0 to 1. */
  random(): number;
}

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

/** Makes such time, at 0. Another `seed` is another chance. */
export function simulatedTime(seed = 1): SimulatedTime {
  const random = mulberry32(seed);
  let now = 0;
  let order = 0;
  // A heap: the first is due first.
  const timers: Timer[] = [];
  const isBefore = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);
  const swap = (a: number, b: number): void => void ([timers[a], timers[b]] = [timers[b] as Timer, timers[a] as Timer]);

  const push = (timer: Timer): void => {
    let at = timers.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(timers[at] as Timer, timers[parent] as Timer)) return;
      swap(at, parent);
      at = parent;
    }
  };
  const pop = (): void => {
    const last = timers.pop() as Timer;
    if (timers.length === 0) return;
    timers[0] = last;
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < timers.length && isBefore(timers[child] as Timer, timers[least] as Timer)) least = child;
      if (least === at) return;
      swap(at, least);
      at = least;
    }
  };

  const after = (ms: number, callback: () => void): (() => void) => {
    const timer: Timer = { at: now + Math.max(0, ms), order: order++, callback, cancelled: false };
    push(timer);
    return () => void (timer.cancelled = true);
  };
  return {
    now: () => now,
    monotonic: () => now,
    after,
    runUntil(ms) {
      for (let next = timers[0]; next && next.at <= ms; next = timers[0]) {
        pop();
        if (next.cancelled) continue;
        now = next.at;
        next.callback();
      }
      now = ms;
    },
    arrivals(perSecond, untilMs, work) {
      let count = 0;
      const next = (): void => {
        after((-Math.log(1 - random()) / perSecond) * 1000, () => {
          if (now >= untilMs) return;
          work(count++);
          next();
        });
      };
      next();
    },
    random,
  };
}

/** Tommy Ettinger's generator of 32 bits of chance, in the public domain. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
