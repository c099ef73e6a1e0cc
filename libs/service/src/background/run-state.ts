import type { Checker, CheckResult, Clock } from '@talaria/base';

/** How the runs of one worker or schedule have gone. */
export interface RunState {
  /** A run begins. */
  begin(): void;
  /** The run has ended well. */
  succeeded(): void;
  /** The run has failed; answers how long to wait before the next one, in ms: twice as long after each failure. */
  failed(error: unknown): number;
  /** Nothing runs here any more, and nothing will until the next `begin`: what has failed is for others to make good. */
  giveUp(): void;
  /** Fails from the first failure on, until a run ends well or lasts long enough, or is given up. Never critical: calls can be answered all the same. */
  readonly checker: Checker;
}

/** How a run state is made. */
export interface RunStateOptions {
  /** Of the checker: `worker relay`. */
  readonly name: string;
  readonly clock: Clock;
  /** The pause after a first failure, in ms. */
  readonly firstPauseMs: number;
  /** The longest pause, in ms. */
  readonly longestPauseMs: number;
  /** A run that has lasted this long is well, in ms. Default: never, it has to end. */
  readonly wellAfterMs?: number;
}

/** Makes one, for runs that have not begun. */
export function createRunState({ name, clock, firstPauseMs, longestPauseMs, wellAfterMs = Infinity }: RunStateOptions): RunState {
  let failures = 0;
  let runs = 0;
  let lastError = '';
  let begunAt: number | undefined;
  const lastsWell = (): boolean => begunAt !== undefined && clock.monotonic() - begunAt >= wellAfterMs;
  const check = (): CheckResult => {
    if (failures > 0 && !lastsWell()) throw new Error(`${failures === 1 ? 'failed' : `failed ${failures} times in a row`}: ${lastError}`);
    return { runs, running: begunAt !== undefined };
  };
  return {
    begin() {
      runs++;
      begunAt = clock.monotonic();
    },
    succeeded() {
      begunAt = undefined;
      failures = 0;
    },
    failed(error) {
      failures = lastsWell() ? 1 : failures + 1;
      begunAt = undefined;
      lastError = error instanceof Error ? error.message : String(error);
      return Math.min(firstPauseMs * 2 ** Math.min(failures - 1, 30), longestPauseMs);
    },
    giveUp() {
      begunAt = undefined;
      failures = 0;
    },
    checker: { name, check },
  };
}
