import { stripVTControlCharacters } from 'node:util';
import { count, NOTHING, type Tally } from './tally.ts';

/** What the tests of a project, or of one file of end-to-end tests, came to. */
export interface Suite {
  /** `serve-tool`, `kill.test.ts`. */
  readonly name: string;
  readonly tally: Tally;
  /** The tests that failed, each with its file: `src/supervisor.test.ts: starts a program again`. */
  readonly failures: readonly string[];
}

/** What one run of suites came to. */
export interface Attempt {
  /** Whether the command worked. */
  readonly ok: boolean;
  readonly suites: readonly Suite[];
  /** The suites that failed. Empty although `ok` is false if no suite can be blamed. */
  readonly failed: readonly string[];
}

/** Reads the output of suites, line by line. */
export interface SuiteReader {
  line(text: string): void;
  /** Once there are no more lines. */
  end(): { readonly suites: readonly Suite[]; readonly failedTasks: readonly string[] };
}

interface Reading {
  tally: Tally;
  readonly failures: string[];
  /** Count lines that are not passed on yet. */
  held: string[];
  /** Where the list of failed tests is read: the location of the next one, if that was read. */
  location?: string | undefined;
}

const PREFIXED = /^([\w@/.-]+): (.*)$/;
const TASK = /^> nx run ([\w@/.-]+):/;
const COUNT = /^ℹ (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+\s*$/;
const LOCATION = /^test at (.+):\d+:\d+$/;
const FAILURE = /^✖ (.*?)(?: \([\d.]+ms\))?$/;
const FAILED_TASK = /^- ([\w@/.-]+):([\w-]+)$/;

/**
 * Reads what node's test runner prints for several suites at once: each line begins with `<suite>: `, or stands below nx's headline
 * of a task (what nx repeats from its cache). Lines are passed on to `write` as they come. Only the counts of a suite wait for their
 * last line, since those of a suite that failed are not passed on: it is run again, and a reader who adds up such lines would count it twice.
 */
export function readSuites(write: (line: string) => void): SuiteReader {
  const readings = new Map<string, Reading>();
  const failedTasks: string[] = [];
  let task = '';
  let summary = false;

  const readingOf = (name: string): Reading => {
    const reading = readings.get(name) ?? { tally: NOTHING, failures: [], held: [] };
    readings.set(name, reading);
    return reading;
  };
  const release = (name: string, reading: Reading): void => {
    const { passed, failed } = reading.tally;
    if (failed === 0) for (const line of reading.held) write(line);
    else write(`${name}: ℹ ${passed} of ${passed + failed} tests passed`);
    reading.held = [];
  };
  const readFailure = (reading: Reading, text: string): void => {
    const test = reading.location === undefined ? undefined : FAILURE.exec(text)?.[1];
    if (test !== undefined) reading.failures.push(test === reading.location ? test : `${reading.location}: ${test}`);
    reading.location = LOCATION.exec(text)?.[1];
  };

  return {
    line(text) {
      const plain = stripVTControlCharacters(text);
      task = TASK.exec(plain)?.[1] ?? task;
      if (plain === 'Failed tasks:') summary = true;
      const failedTask = summary ? FAILED_TASK.exec(plain) : null;
      if (failedTask) failedTasks.push(`${failedTask[1]}:${failedTask[2]}`);

      const [, name = task, said = plain] = PREFIXED.exec(plain) ?? [];
      if (!COUNT.test(said)) {
        write(text);
        const reading = readings.get(name);
        if (reading) readFailure(reading, said);
        return;
      }
      const reading = readingOf(name);
      reading.tally = count(reading.tally, said);
      reading.held.push(text);
      if (said.startsWith('ℹ duration_ms')) release(name, reading);
    },
    end() {
      for (const [name, reading] of readings) if (reading.held.length > 0) release(name, reading);
      return { suites: [...readings].map(([name, { tally, failures }]) => ({ name, tally, failures })), failedTasks };
    },
  };
}
