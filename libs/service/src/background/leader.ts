import { sleep, type Clock, type Elections, type Leadership, type Logger } from '@talaria/base';
import { createRunState, type RunState } from './run-state.ts';
import { runWork, type LeaderWork } from './run-context.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
/** A run that lasted this long was well: the next failure is the first again. */
const WELL_AFTER_MS = 30_000;
/** Who has not won again for this long after a failure is not needed: another instance leads, in ms. */
const REPLACED_AFTER_MS = 2_000;

/** The state of a leader that has not run yet. */
export function leaderState(name: string, clock: Clock): RunState {
  return createRunState({ name: `leader ${name}`, clock, firstPauseMs: FIRST_PAUSE_MS, longestPauseMs: LONGEST_PAUSE_MS, wellAfterMs: WELL_AFTER_MS });
}

/** What leading goes on with. */
export interface LeadingParts {
  readonly state: RunState;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Logger;
  readonly elections: Elections;
}

/**
 * Campaigns and leads, again and again, until `signal` aborts. A run that returns is followed by the next one; after one that
 * fails the instance resigns, so that another may do better, and campaigns again after a pause that grows.
 */
export async function keepLeading(name: string, work: LeaderWork, parts: LeadingParts): Promise<void> {
  const { state, signal, clock, log } = parts;
  while (!signal.aborted) {
    let pause = 0;
    let leadership: Leadership | undefined;
    try {
      leadership = await campaign(name, parts);
      log.debug(`leader ${name} begins`, { token: String(leadership.token) });
      await lead(name, work, leadership, parts);
    } catch (error) {
      if (signal.aborted) return;
      if (leadership?.lost.aborted) {
        state.giveUp();
        log.warn(`leader ${name} has to end here, until this instance is elected again`, { reason: (leadership.lost.reason as Error).message });
      } else {
        pause = state.failed(error);
        log.error(`leader ${name} failed, resigning and standing again`, { err: error, pause_ms: pause });
      }
    } finally {
      // Also when its run was late to heed the signal.
      await leadership?.resign();
    }
    if (pause > 0) await sleep(pause, { clock, signal }).catch(() => {});
  }
}

async function campaign(name: string, { state, signal, clock, elections }: LeadingParts): Promise<Leadership> {
  const cancel = clock.after(REPLACED_AFTER_MS, () => state.giveUp(), { background: true });
  try {
    return await elections.campaign(name, signal);
  } finally {
    cancel();
  }
}

/** Runs as long as this instance leads; ends by rejecting. */
async function lead(name: string, work: LeaderWork, leadership: Leadership, { state, signal, clock, log }: LeadingParts): Promise<never> {
  const within = AbortSignal.any([signal, leadership.lost]);
  for (;;) {
    // A process that was frozen finds out here.
    leadership.isHeld();
    within.throwIfAborted();
    state.begin();
    await runWork((running) => work(running, leadership), { signal: within, clock, leadership });
    state.succeeded();
    within.throwIfAborted();
    log.debug(`leader ${name} ended, starting it again`);
    await sleep(FIRST_PAUSE_MS, { clock, signal: within });
  }
}
