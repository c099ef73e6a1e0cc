import { systemClock, type Clock } from '@talaria/base';

/** A clock that is ahead of the machine's by as much as it is told. */
export function movingClock(): Clock & { advance(ms: number): void } {
  let ahead = 0;
  return {
    now: () => Date.now() + ahead,
    monotonic: () => performance.now() + ahead,
    after: (ms, callback, options) => systemClock.after(ms, callback, options),
    advance: (ms) => void (ahead += ms),
  };
}
