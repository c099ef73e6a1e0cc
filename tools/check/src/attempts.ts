import { runCommand, type Command } from './run-command.ts';
import { readSuites, type Attempt } from './suites.ts';

/** Longer than any file takes on a busy machine; a test that hangs would stop everything. */
const FILE_LIMIT_MS = 600_000;

/** Runs suites: all, or, alone and one after the other, those that are named. */
export type Attempts = (only?: readonly string[]) => Promise<Attempt>;

type Write = (line: string) => void;

/** Tasks of nx: every project is a suite if the target is `test`. */
export interface NxTasks {
  readonly targets: readonly string[];
  /** All projects that have a target unless given. */
  readonly projects?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What to run instead of `nx`. */
  readonly nx?: Pick<Command, 'command' | 'args'>;
}

/** Runs tasks by nx. With CI set nothing comes from its cache, and what failed never does. */
export function nxTasks({ targets, projects, env = {}, nx = { command: 'nx', args: [] } }: NxTasks, write: Write): Attempts {
  return async (only) => {
    const chosen = only ?? projects;
    const args = [
      ...['run-many', '-t', ...targets, '--output-style=stream'],
      ...(chosen ? ['-p', chosen.join(',')] : []),
      ...(only ? ['--parallel=1'] : []),
      ...(process.env['CI'] ? ['--skip-nx-cache'] : []),
    ];
    write(`\n=== nx ${args.join(' ')}`);
    const reader = readSuites(write);
    const ok = await runCommand({ ...nx, args: [...nx.args, ...args], env }, reader.line);
    const { suites, failedTasks } = reader.end();
    const failed = failedTasks.filter((task) => task.endsWith(':test')).map((task) => task.slice(0, -':test'.length));
    return { ok, suites, failed: !ok && failed.length === failedTasks.length ? failed : [] };
  };
}

/** Files of tests that run in a process of node's test runner each: every file is a suite. */
export interface TestFiles {
  /** Where they are run. */
  readonly folder: string;
  /** Below the folder. */
  readonly files: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs files of tests one after the other. */
export function testFiles({ folder, files, env = {} }: TestFiles, write: Write): Attempts {
  return async (only = files) => {
    const reader = readSuites(write);
    const failed: string[] = [];
    for (const file of only) {
      write(`\n=== node --test ${file}`);
      const ok = await runCommand({ command: process.execPath, args: ['--test', file], cwd: folder, env, limitMs: FILE_LIMIT_MS }, (line) => reader.line(`${file}: ${line}`));
      if (!ok) failed.push(file);
    }
    return { ok: failed.length === 0, suites: reader.end().suites, failed };
  };
}
