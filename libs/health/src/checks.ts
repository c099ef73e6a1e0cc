import { silentLogger, systemClock, type CancelTimer, type Checker, type CheckResult, type Clock, type Logger } from '@talaria/base';
import { detached } from '@talaria/context';

/** How checkers are run. */
export interface ChecksOptions {
  readonly checkers: readonly Checker[];
  /** Hears of every checker that starts to fail, and of its recovery. Default: silent. */
  readonly log?: Logger | undefined;
  /** The pause between two rounds, in ms. Default 5,000. */
  readonly intervalMs?: number | undefined;
  /** How long one check may take, in ms. Default 2,000. */
  readonly timeoutMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** What a checker found last. */
export type CheckOutcome =
  | { readonly name: string; readonly critical: boolean; readonly ok: true; readonly data: CheckResult; readonly durationMs: number }
  | { readonly name: string; readonly critical: boolean; readonly ok: false; readonly error: string; readonly durationMs: number };

/** Checkers that run again and again. */
export interface Checks {
  /** Whether no critical checker fails; before the first round, true. */
  readonly well: boolean;
  /** What each checker found last; empty before the first round. */
  readonly outcomes: readonly CheckOutcome[];
  /** One round now. Never rejects. */
  run(): Promise<readonly CheckOutcome[]>;
  /** Runs one more checker, from the next round on. */
  add(checker: Checker): void;
  /** Starts the rounds, outside of every call. */
  start(): void;
  stop(): void;
}

async function runOne(checker: Checker, timeoutMs: number, clock: Clock): Promise<CheckOutcome> {
  const { name, critical = false } = checker;
  const startedAt = clock.monotonic();
  const tooLong = new AbortController();
  const durationMs = (): number => Math.round(clock.monotonic() - startedAt);
  let cancel: CancelTimer | undefined;
  // Raced, because a checker that hangs may well not heed its signal.
  const limit = new Promise<never>((_resolve, reject) => {
    cancel = clock.after(timeoutMs, () => {
      const error = new Error(`no answer within ${timeoutMs} ms`);
      tooLong.abort(error);
      reject(error);
    });
  });
  try {
    const data = await Promise.race([(async () => checker.check(tooLong.signal))(), limit]);
    return { name, critical, ok: true, data, durationMs: durationMs() };
  } catch (error) {
    return { name, critical, ok: false, error: error instanceof Error ? error.message : String(error), durationMs: durationMs() };
  } finally {
    cancel?.();
  }
}

/** Runs checkers, all at once, round after round. `onRound` hears of each. */
export function createChecks(options: ChecksOptions, onRound: () => void = () => {}): Checks {
  const { log = silentLogger, intervalMs = 5_000, timeoutMs = 2_000, clock = systemClock } = options;
  const checkers = [...options.checkers];
  let outcomes: readonly CheckOutcome[] = [];
  let started = false;
  let running = false;
  let cancel: CancelTimer | undefined;

  const report = (before: readonly CheckOutcome[]): void => {
    for (const now of outcomes) {
      const wasWell = before.find(({ name }) => name === now.name)?.ok ?? true;
      if (!now.ok && wasWell) log.warn(`${now.name} is not well: ${now.error}`, { checker: now.name, critical: now.critical });
      if (now.ok && !wasWell) log.info(`${now.name} is well again`, { checker: now.name });
    }
  };
  const run = async (): Promise<readonly CheckOutcome[]> => {
    const found = await Promise.all(checkers.map((checker) => runOne(checker, timeoutMs, clock)));
    const before = outcomes;
    outcomes = found;
    report(before);
    onRound();
    return found;
  };
  const again = async (): Promise<void> => {
    await run();
    if (running) cancel = clock.after(intervalMs, () => void again(), { background: true });
  };
  const begin = (): void => {
    if (running || !started || checkers.length === 0) return;
    running = true;
    detached(() => void again());
  };
  return {
    get well() {
      return !outcomes.some(({ ok, critical }) => critical && !ok);
    },
    get outcomes() {
      return outcomes;
    },
    run,
    add(checker) {
      checkers.push(checker);
      begin();
    },
    start() {
      started = true;
      begin();
    },
    stop() {
      started = false;
      running = false;
      cancel?.();
    },
  };
}
