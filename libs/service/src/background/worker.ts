import { sleep, type Clock, type Logger } from '@talaria/base';
import { createRunState, type RunState } from './run-state.ts';
import { runWork, type Work } from './run-context.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
/** A run that lasted this long was well: the next failure is the first again. */
const WELL_AFTER_MS = 30_000;

/** The state of a worker that has not run yet. */
export function workerState(name: string, clock: Clock): RunState {
  return createRunState({ name: `worker ${name}`, clock, firstPauseMs: FIRST_PAUSE_MS, longestPauseMs: LONGEST_PAUSE_MS, wellAfterMs: WELL_AFTER_MS });
}

/** Runs a worker again and again until `signal` aborts: after a short pause when it returns, after ever longer ones while it fails. */
export async function keepWorking(name: string, work: Work, parts: { readonly state: RunState; readonly signal: AbortSignal; readonly clock: Clock; readonly log: Logger }): Promise<void> {
  const { state, signal, clock, log } = parts;
  while (!signal.aborted) {
    let pause = FIRST_PAUSE_MS;
    state.begin();
    try {
      await runWork(work, { signal, clock });
      state.succeeded();
      if (!signal.aborted) log.debug(`worker ${name} ended, starting it again`);
    } catch (error) {
      if (signal.aborted) return;
      pause = state.failed(error);
      log.error(`worker ${name} failed, starting it again`, { err: error, pause_ms: pause });
    }
    await sleep(pause, { clock, signal }).catch(() => {});
  }
}
