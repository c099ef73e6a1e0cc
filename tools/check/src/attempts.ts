import { runCommand, type Command } from './run-command.ts';
import { readSuites, type Attempt } from './suites.ts';

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

/** Commands that hold no tests, by names that begin each line of their output. */
export type NamedCommands = Readonly<Record<string, Command>>;

/** Runs commands side by side. */
export function sideBySide(commands: NamedCommands, write: Write): Attempts {
  return async () => {
    write(`\n=== ${Object.entries(commands).map(([name, { command, args }]) => `${name}: ${command} ${args.join(' ')}`).join('\n=== ')}`);
    const names = Object.keys(commands);
    const worked = await Promise.all(Object.entries(commands).map(([name, command]) => runCommand(command, (line) => write(`${name}: ${line}`))));
    const failed = names.filter((_, index) => !worked[index]);
    return { ok: failed.length === 0, suites: [], failed };
  };
}

/** One after the other, up to the first that fails. */
export function inTurn(...attempts: readonly Attempts[]): Attempts {
  return async (only) => {
    let last: Attempt = { ok: true, suites: [], failed: [] };
    for (const attempt of attempts) {
      last = await attempt(only);
      if (!last.ok) break;
    }
    return last;
  };
}

/** Files of tests that run in a process of node's test runner each: every file is a suite. */
export interface TestFiles {
  /** Where they are run. */
  readonly folder: string;
  /** Below the folder. */
  readonly files: readonly string[];
  /** How many at a time. Default 1. */
  readonly parallel?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs files of tests, a few at a time; one after the other if some are named. */
export function testFiles({ folder, files, parallel = 1, env = {} }: TestFiles, write: Write): Attempts {
  return async (only) => {
    const reader = readSuites(write);
    const failed: string[] = [];
    const waiting = [...(only ?? files)];
    const turn = async (): Promise<void> => {
      const file = waiting.shift();
      if (file === undefined) return;
      write(`\n=== node --test ${file}`);
      const ok = await runCommand({ command: process.execPath, args: ['--test', file], cwd: folder, env }, (line) => reader.line(`${file}: ${line}`));
      if (!ok) failed.push(file);
      await turn();
    };
    await Promise.all(Array.from({ length: only ? 1 : parallel }, turn));
    return { ok: failed.length === 0, suites: reader.end().suites, failed };
  };
}
