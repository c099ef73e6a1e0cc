import type { Tracer } from '@opentelemetry/api';
import { sleep, type Clock, type Leadership, type Logger } from '@talaria/base';
import type { ServiceElections } from '@talaria/discovery';
import { createRunState, type RunState } from './run-state.ts';
import { runWork, type ScheduledWork } from './run-context.ts';

/** Something to do again and again. */
export interface Schedule {
  readonly name: string;
  readonly intervalMs: number;
  readonly work: ScheduledWork;
}

/** What a schedule is run with. */
export interface ScheduleParts {
  readonly state: RunState;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Logger;
  readonly tracer: Tracer | undefined;
  /** Where the instance is elected that runs it; undefined: every instance does. */
  readonly elections: ServiceElections | undefined;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 5 * 60_000;
/** Before an election that failed is held again, in ms. */
const ELECTION_PAUSE_MS = 1_000;

/** The state of a schedule that has not run yet. After a failure it does not wait longer than for the next turn. */
export function scheduleState({ name, intervalMs }: Schedule, clock: Clock): RunState {
  const longestPauseMs = Math.min(intervalMs, LONGEST_PAUSE_MS);
  return createRunState({ name: `schedule ${name}`, clock, firstPauseMs: Math.min(FIRST_PAUSE_MS, longestPauseMs), longestPauseMs });
}

/**
 * Runs a schedule until `signal` aborts. The instance that leads goes by its own monotonic clock; that a run has
 * happened is noted for as long as it counts, so that an instance that takes over needs to compare no clocks. A run that was
 * not finished is made again: by this instance, or by the one that takes over.
 */
export async function keepSchedule(schedule: Schedule, parts: ScheduleParts): Promise<void> {
  const { state, signal, clock, log, elections } = parts;
  const turns: Turns = { nextAt: -Infinity, afterRun: false };
  while (!signal.aborted) {
    let leadership: Leadership | undefined;
    try {
      leadership = await elections?.campaign(schedule.name, signal);
      await runInTurn(schedule, parts, turns, leadership);
    } catch (error) {
      if (signal.aborted) return;
      if (leadership?.lost.aborted) {
        log.warn(`schedule ${schedule.name} is not run here any more, until this instance is elected again`, { reason: (leadership.lost.reason as Error).message });
        continue;
      }
      log.error(`schedule ${schedule.name} could not be kept, trying again`, { err: error });
      await sleep(ELECTION_PAUSE_MS, { clock, signal }).catch(() => {});
    } finally {
      state.giveUp();
      await leadership?.resign();
    }
  }
}

/** What an instance itself remembers of a schedule, whether or not it leads. */
interface Turns {
  /** When it has to run next, on the monotonic clock. */
  nextAt: number;
  /** Whether that is so because it has run; the pause after a failure holds for this instance alone. */
  afterRun: boolean;
}

/** Runs as long as this instance leads; ends by rejecting. */
async function runInTurn({ name, intervalMs, work }: Schedule, parts: ScheduleParts, turns: Turns, leadership: Leadership | undefined): Promise<void> {
  const { state, clock, log, tracer, elections } = parts;
  const signal = leadership ? AbortSignal.any([parts.signal, leadership.lost]) : parts.signal;
  const note = async (): Promise<void> => {
    if (leadership) await elections?.runs.ran(name, leadership, turns.nextAt - clock.monotonic()).catch((error: unknown) => {
      if (!signal.aborted) log.warn(`that schedule ${name} has run could not be noted: an instance that takes over may run it too early`, { reason: (error as Error).message });
    });
  };
  if (leadership) await elections?.runs.due(name, signal);
  // What was noted may be lost together with the leadership.
  if (turns.afterRun && turns.nextAt > clock.monotonic()) await note();
  for (;;) {
    await until(turns.nextAt, clock, signal);
    // A process that was frozen finds out here.
    if (leadership && !leadership.isHeld()) throw leadership.lost.reason;
    const startedAt = clock.monotonic();
    // On time, turns are counted from turns, so that small delays do not add up.
    const begunAt = startedAt - turns.nextAt < intervalMs ? turns.nextAt : startedAt;
    state.begin();
    try {
      await runWork((running) => work(running, leadership), { signal, clock, leadership, limitMs: intervalMs, span: tracer && { tracer, name: `schedule ${name}` } });
      state.succeeded();
      turns.nextAt = Math.max(begunAt + intervalMs, clock.monotonic());
      turns.afterRun = true;
      await note();
    } catch (error) {
      signal.throwIfAborted();
      const pause = state.failed(error);
      turns.nextAt = clock.monotonic() + pause;
      turns.afterRun = false;
      log.error(`schedule ${name} failed, running it again`, { err: error, pause_ms: pause });
    }
  }
}

/** Resolves at `at`, however far that is: a single timer holds 24 days. */
async function until(at: number, clock: Clock, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  for (let left = at - clock.monotonic(); left > 0; left = at - clock.monotonic()) await sleep(left, { clock, signal });
}
