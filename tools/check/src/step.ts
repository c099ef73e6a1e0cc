import { type Attempts } from './attempts.ts';
import { type Attempt, type Suite } from './suites.ts';
import { add, NOTHING, type Tally } from './tally.ts';

/** What a step did. */
export interface StepResult {
  readonly name: string;
  readonly ok: boolean;
  readonly tally: Tally;
  /** What failed and then passed: `serve-tool: src/supervisor.test.ts: starts a program again`. */
  readonly flaky: readonly string[];
  /** What failed, and failed again if it was run again. */
  readonly failures: readonly string[];
  readonly seconds: number;
}

/** The tests with which suites failed; the suite itself where no test says so. */
function failuresOf(failed: readonly string[], suites: readonly Suite[]): string[] {
  return failed.flatMap((name) => {
    const tests = suites.find((suite) => suite.name === name)?.failures ?? [];
    return tests.length > 0 ? tests.map((test) => (test.startsWith(name) ? test : `${name}: ${test}`)) : [`${name}: no test of it, but the command that runs it`];
  });
}

/** The sum of suites, in which a suite that failed without a failed test counts as one. */
function tallyOf(suites: readonly Suite[], failed: readonly string[]): Tally {
  const silent = failed.filter((name) => !suites.some((suite) => suite.name === name && suite.tally.failed > 0));
  return suites.map(({ tally }) => tally).reduce(add, { ...NOTHING, failed: silent.length });
}

/** Runs tasks that hold no tests, once. */
export async function runTasks(name: string, attempts: Attempts): Promise<StepResult> {
  const started = performance.now();
  const { ok, failed } = await attempts();
  const blamed = ok ? [] : failed.length > 0 ? failed : [name];
  return { name, ok, tally: tallyOf([], blamed), flaky: [], failures: failuresOf(blamed, []), seconds: (performance.now() - started) / 1000 };
}

/** Runs suites, and then those that failed once more, alone: what counts is how each of them ends. */
export async function runSuites(name: string, attempts: Attempts): Promise<StepResult> {
  const started = performance.now();
  const first = await attempts();
  // If no suite is to blame, what all of them need has failed.
  const blamed = first.failed.length > 0 ? first.failed : [name];
  const second: Attempt = first.ok ? first : await attempts(first.failed.length > 0 ? first.failed : undefined);
  const failed = second.ok ? [] : second.failed.length > 0 ? second.failed : blamed;
  const suites = [...first.suites.filter((suite) => !second.suites.some((later) => later.name === suite.name)), ...second.suites];
  return {
    name,
    ok: second.ok,
    tally: tallyOf(suites, failed),
    flaky: first.ok ? [] : failuresOf(blamed.filter((suite) => !failed.includes(suite)), first.suites),
    failures: failuresOf(failed, suites),
    seconds: (performance.now() - started) / 1000,
  };
}
