import type { Tracer } from '@opentelemetry/api';
import { systemClock, type Checker, type Clock, type Logger } from '@talaria/base';
import { detached } from '@talaria/context';
import type { ServiceElections } from '@talaria/discovery';
import { intervalMs, type Interval } from '../interval.ts';
import { WiringError } from '../wiring-error.ts';
import { keepLeading, leaderState } from './leader.ts';
import type { LeaderWork, ScheduledWork, Work } from './run-context.ts';
import { keepSchedule, scheduleState } from './schedule.ts';
import { keepWorking, workerState } from './worker.ts';

/** How a schedule is run. */
export interface EveryOptions {
  /** Whether every instance runs it. Default false: one does, whichever it is. */
  readonly everywhere?: boolean | undefined;
}

/** What a service does besides answering calls. */
export interface Background {
  /** Throws a `WiringError` for a name that is none, or taken. */
  worker(name: string, work: Work): void;
  /** As `worker`, in one instance at a time. */
  leader(name: string, work: LeaderWork): void;
  /** As `worker`, and for an interval that is none. */
  every(interval: Interval, name: string, work: ScheduledWork, options?: EveryOptions): void;
  /** Starts what was added, and from now on whatever is added. */
  start(): void;
  /** Begins no more turns of schedules, aborts those under way, and resolves when they have ended. */
  stopSchedules(): Promise<void>;
  /** The same for workers and leaders. */
  stopWorkers(): Promise<void>;
}

/** What it needs. */
export interface BackgroundOptions {
  readonly log: Logger;
  readonly clock?: Clock | undefined;
  /** Called when the first schedule or leader begins that is to run in one instance. */
  readonly elections: () => ServiceElections;
  /** Makes the spans of schedules; undefined while there is none. */
  readonly tracer: () => Tracer | undefined;
  /** Is given what tells whether each worker and each schedule is well. */
  readonly addChecker: (checker: Checker) => void;
}

/** They become keys, names of checkers and fields of log lines. */
const NAME = /^[^/\p{Cc}]{1,100}$/u;

/** Makes an empty background. Whatever runs there runs outside of every call. */
export function createBackground({ log, clock = systemClock, elections, tracer, addChecker }: BackgroundOptions): Background {
  const names = new Set<string>();
  const waiting: (() => void)[] = [];
  const workers = { stopping: new AbortController(), running: new Set<Promise<void>>() };
  const schedules = { stopping: new AbortController(), running: new Set<Promise<void>>() };
  let started = false;

  const add = (what: string, name: string, group: typeof workers, run: (signal: AbortSignal) => Promise<void>): void => {
    const begin = (): void => {
      if (group.stopping.signal.aborted) return;
      const running = detached(() => run(group.stopping.signal)).catch((error: unknown) => log.error(`${what} ${name} cannot go on`, { err: error }));
      group.running.add(running);
    };
    if (started) begin();
    else waiting.push(begin);
  };
  const checkName = (what: string, name: string): void => {
    if (!NAME.test(name)) throw new WiringError(`"${name}" is no name of a ${what}: use up to 100 characters without "/".`);
    if (names.has(name)) throw new WiringError(`There is a worker, a leader or a schedule "${name}" already: give this ${what} another name.`);
    names.add(name);
  };
  const stop = async ({ stopping, running }: typeof workers): Promise<void> => {
    stopping.abort(new DOMException('The service stops.', 'AbortError'));
    await Promise.all(running);
  };

  return {
    worker(name, work) {
      checkName('worker', name);
      const state = workerState(name, clock);
      addChecker(state.checker);
      add('worker', name, workers, (signal) => keepWorking(name, work, { state, signal, clock, log }));
    },
    leader(name, work) {
      checkName('leader', name);
      const state = leaderState(name, clock);
      addChecker(state.checker);
      add('leader', name, workers, (signal) => keepLeading(name, work, { state, signal, clock, log, elections: elections() }));
    },
    every(interval, name, work, { everywhere = false } = {}) {
      const schedule = { name, work, intervalMs: intervalMs(interval) };
      checkName('schedule', name);
      const state = scheduleState(schedule, clock);
      addChecker(state.checker);
      add('schedule', name, schedules, async (signal) => {
        await keepSchedule(schedule, { state, signal, clock, log, tracer: tracer(), elections: everywhere ? undefined : elections() });
      });
    },
    start() {
      if (started) return;
      started = true;
      for (const begin of waiting) begin();
    },
    stopSchedules: () => stop(schedules),
    stopWorkers: () => stop(workers),
  };
}
