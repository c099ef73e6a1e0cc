import { systemClock } from '@talaria/base';

/** A sleep that can be cut short. A wake that comes while nobody sleeps ends the next sleep at once: none is lost. */
export interface Waker {
  sleep(ms: number): Promise<void>;
  wake(): void;
}

/** Makes a waker for one sleeper. */
export function createWaker(): Waker {
  let pending = false;
  let wakeSleeper: (() => void) | undefined;
  return {
    sleep(ms) {
      return new Promise((resolve) => {
        const done = (): void => {
          cancel();
          wakeSleeper = undefined;
          pending = false;
          resolve();
        };
        const cancel = systemClock.after(ms, done);
        wakeSleeper = done;
        if (pending) done();
      });
    },
    wake() {
      pending = true;
      wakeSleeper?.();
    },
  };
}

/** How long to wait after the nth failure in a row (from 1): 100 ms, doubled up to 1 s, with a fifth of it at random, so that not all come back at once. */
export function backoffMs(failures: number): number {
  const base = Math.min(1000, 100 * 2 ** Math.min(failures - 1, 10));
  return base * (0.8 + Math.random() * 0.2);
}
