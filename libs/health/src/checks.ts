import { silentLogger, systemClock, type CancelTimer, type Checker, type Clock, type Logger } from '@talaria/base';
import { detached } from '@talaria/context';
import { priorityOf, runChecker, type CheckOutcome, type Found } from './run-checker.ts';

/** How checkers are run. */
export interface ChecksOptions {
  readonly checkers: readonly Checker[];
  /** Hears of every checker that starts to fail, and of its recovery. Default: silent. */
  readonly log?: Logger | undefined;
  /** The pause between two checks of one checker, in ms. Default 5,000. */
  readonly intervalMs?: number | undefined;
  /** The same of critical checkers, since calls go wrong until their failure is noticed; half of it while one fails. Default 1,000, and `intervalMs` if that is shorter. */
  readonly criticalIntervalMs?: number | undefined;
  /** How long one check may take, in ms. Default 2,000. */
  readonly timeoutMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** Checkers that run again and again, each at its own pace: one that hangs holds up no other. */
export interface Checks {
  /** Whether no critical checker fails; before the first results, true. */
  readonly well: boolean;
  /** What each checker found last, in their order; without those that have not run yet. */
  readonly outcomes: readonly CheckOutcome[];
  /** Runs all now. Never rejects. */
  run(): Promise<readonly CheckOutcome[]>;
  /** Runs one more checker from now on. */
  add(checker: Checker): void;
  /** Starts to run them, outside of every call. */
  start(): void;
  stop(): void;
}

interface Running {
  readonly checker: Checker;
  last: CheckOutcome | undefined;
  /** Undefined while it is not waiting for its next run. */
  cancel: CancelTimer | undefined;
  begun: boolean;
}

/** Runs checkers. `onResult` hears of each result. */
export function createChecks(options: ChecksOptions, onResult: () => void = () => {}): Checks {
  const { log = silentLogger, intervalMs = 5_000, criticalIntervalMs = Math.min(intervalMs, 1_000), timeoutMs = 2_000, clock = systemClock } = options;
  const all = options.checkers.map((checker): Running => ({ checker, last: undefined, cancel: undefined, begun: false }));
  let started = false;

  const note = (one: Running, found: Found): void => {
    const { last } = one;
    const priority = priorityOf(one.checker);
    const { name } = one.checker;
    const since = last?.ok === found.ok ? last.since : new Date(clock.now()).toISOString();
    one.last = { name, critical: priority === 'critical', priority, since, ...found };
    if (!found.ok && (last?.ok ?? true)) log.warn(`${name} is not well: ${found.error}`, { checker: name, critical: priority === 'critical', priority });
    if (found.ok && last?.ok === false) log.info(`${name} is well again`, { checker: name });
  };
  const pauseOf = ({ last }: Running): number => {
    if (!last?.critical) return intervalMs;
    return last.ok ? criticalIntervalMs : criticalIntervalMs / 2;
  };
  const look = async (one: Running): Promise<void> => {
    note(one, await runChecker(one.checker, timeoutMs, clock));
    onResult();
  };
  const again = async (one: Running): Promise<void> => {
    one.cancel = undefined;
    await look(one);
    if (started) one.cancel = clock.after(pauseOf(one), () => void again(one), { background: true });
    else one.begun = false;
  };
  const begin = (one: Running): void => {
    if (!started || one.begun) return;
    one.begun = true;
    detached(() => void again(one));
  };
  const outcomes = (): readonly CheckOutcome[] => all.flatMap(({ last }) => last ?? []);
  return {
    get well() {
      return !all.some(({ last }) => last?.critical && !last.ok);
    },
    get outcomes() {
      return outcomes();
    },
    async run() {
      await Promise.all(all.map(look));
      return outcomes();
    },
    add(checker) {
      const one: Running = { checker, last: undefined, cancel: undefined, begun: false };
      all.push(one);
      begin(one);
    },
    start() {
      started = true;
      for (const one of all) begin(one);
    },
    stop() {
      started = false;
      for (const one of all) {
        if (!one.cancel) continue; // It is running, and finds out by itself.
        one.cancel();
        one.cancel = undefined;
        one.begun = false;
      }
    },
  };
}
