import { setImmediate, setTimeout as pause } from 'node:timers/promises';

/** Waits until a condition holds; throws, naming it, when it does not within 60 s. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const end = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Not within 60 s: ${what}`);
    // What is waited for needs the processor, too.
    await pause(1);
  }
}

/** Lets everything that is ready to run do so, a number of times: for showing that something does not happen. */
export async function settle(turns = 50): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await setImmediate();
}
