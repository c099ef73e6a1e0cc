import { sleep, type Logger } from '@talaria/base';
import { detached } from '@talaria/context';

/** Background loops of a service. */
export interface Workers {
  add(name: string, run: (signal: AbortSignal) => Promise<void>): void;
  /** Starts those that were added, and from now on each that is added. */
  start(): void;
  /** Aborts them and resolves when all have ended. */
  stop(): Promise<void>;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
/** A run that lasted this long was well: the next pause is the first again. */
const WELL_AFTER_MS = 30_000;

async function keepRunning(name: string, run: (signal: AbortSignal) => Promise<void>, signal: AbortSignal, log: Logger): Promise<void> {
  let pause = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    const startedAt = performance.now();
    try {
      await run(signal);
      if (!signal.aborted) log.debug(`worker ${name} ended, starting it again`);
    } catch (error) {
      if (!signal.aborted) log.error(`worker ${name} failed, starting it again`, { err: error, pause_ms: pause });
    }
    if (performance.now() - startedAt > WELL_AFTER_MS) pause = FIRST_PAUSE_MS;
    await sleep(pause, { signal }).catch(() => {});
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

/** Makes an empty set of workers. Each runs outside of every call. */
export function createWorkers(log: Logger): Workers {
  const stopping = new AbortController();
  const waiting: (() => void)[] = [];
  const running: Promise<void>[] = [];
  let started = false;
  return {
    add(name, run) {
      const begin = (): void => void running.push(detached(() => keepRunning(name, run, stopping.signal, log)));
      if (started) begin();
      else waiting.push(begin);
    },
    start() {
      if (started) return;
      started = true;
      for (const begin of waiting) begin();
    },
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}
