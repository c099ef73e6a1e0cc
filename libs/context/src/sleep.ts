import { sleep as sleepBy } from '@talaria/base';
import { currentClock } from './call.ts';

/** Resolves after `ms` on the clock of the current call; rejects with the signal's reason if it aborts first. Default signal: none. */
export function sleep(ms: number, options: Parameters<typeof sleepBy>[1] = {}): Promise<void> {
  return sleepBy(ms, { clock: currentClock(), ...options });
}
