import { sleep, type Logger } from '@talaria/base';
import { detached } from '@talaria/context';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2_000;

/** A background loop. */
export interface Loop {
  /** There is something to do: do not wait for the next poll. */
  wake(): void;
  /** Resolves when the turn that runs has ended; no other begins. */
  stop(): Promise<void>;
}

/**
 * Calls `turn` over and over, outside of every call: at once again while it answers true, after `pollMs` (or `wake`) when it
 * answers false, and after a growing pause when it fails, which is logged once a series.
 */
export function startLoop(name: string, { turn, pollMs, log }: { readonly turn: () => Promise<boolean>; readonly pollMs: number; readonly log: Logger }): Loop {
  const stopping = new AbortController();
  let woken = false;
  let waiting: AbortController | undefined;

  async function pause(ms: number): Promise<void> {
    if (woken || stopping.signal.aborted) return;
    waiting = new AbortController();
    await sleep(ms, { signal: waiting.signal }).catch(() => {});
    waiting = undefined;
  }

  async function run(): Promise<void> {
    let failures = 0;
    while (!stopping.signal.aborted) {
      woken = false;
      try {
        const more = await turn();
        if (failures > 0) log.info(`${name} works again`);
        failures = 0;
        if (!more) await pause(pollMs);
      } catch (error) {
        if (failures++ === 0) log.warn(`${name} failed, and is tried again`, { err: error });
        await pause(Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS));
      }
    }
  }

  const running = detached(run);
  return {
    wake() {
      woken = true;
      waiting?.abort();
    },
    async stop() {
      stopping.abort();
      waiting?.abort();
      await running;
    },
  };
}
