import { globSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { inTurn, nxTasks, sideBySide, testFiles, type Attempts } from './attempts.ts';
import { runSuites, runTasks, type StepResult } from './step.ts';

/** Real servers against which some suites run once more. */
export interface Engines {
  /** As in ETCD_ENDPOINTS: `127.0.0.1:2379`. */
  readonly etcd: string;
  /** As in DATABASE_URL, without a database: `postgres://postgres@127.0.0.1:5432`. */
  readonly postgres: string;
}

const ROOT = resolve(import.meta.dirname, '../../..');
const E2E = join(ROOT, 'tools/e2e');

/** The end-to-end tests for which it matters which engines there are. */
const FOR_ENGINES = ['alone', 'bad-input', 'clients', 'flow', 'hang-up', 'kill'].map((name) => join('src', `${name}.test.ts`));

const write = (line: string): void => console.log(line);
const filesOf = (pattern: string): string[] => globSync(pattern, { cwd: E2E }).sort();

/**
 * Where nothing comes from a cache, one program of the whole workspace is checked and linted in a fraction of the time that one a project takes.
 * The build comes first, as it generates the contracts.
 */
function staticChecks(): Attempts {
  if (!process.env['CI']) return nxTasks({ targets: ['lint', 'typecheck', 'build'] }, write);
  const whole = {
    typecheck: { command: 'tsc', args: ['-p', 'tsconfig.all.json'], cwd: ROOT },
    lint: { command: 'eslint', args: ['--max-warnings', '0', 'libs', 'apps', 'tools'], cwd: ROOT, env: { LINT_WHOLE_WORKSPACE: '1' } },
    buf: { command: 'buf', args: ['lint', 'proto'], cwd: ROOT },
  };
  return inTurn(nxTasks({ targets: ['build'] }, write), sideBySide(whole, write));
}

/** Every step by its name, in the order in which they run. */
export function stepsFor(engines: Engines | undefined): Readonly<Record<string, () => Promise<StepResult>>> {
  const always = {
    static: () => runTasks('static', staticChecks()),
    unit: () => runSuites('unit', nxTasks({ targets: ['test'] }, write)),
    // Two at a time: they mostly wait, and each has a platform of its own.
    e2e: () => runSuites('e2e', testFiles({ folder: E2E, files: filesOf('{src,../degradation/src,../chaos/src/e2e}/*.test.ts'), parallel: 2 }, write)),
    outside: () => runSuites('outside', testFiles({ folder: E2E, files: filesOf('src/five-minutes/*.test.ts') }, write)),
  };
  if (!engines) return always;
  const { etcd, postgres } = engines;
  return {
    ...always,
    'engines-unit': () => runSuites('engines-unit', nxTasks({ targets: ['test'], projects: ['storage', 'messaging'], env: { TEST_DATABASE_URL: postgres } }, write)),
    'engines-e2e': () => runSuites('engines-e2e', testFiles({ folder: E2E, files: FOR_ENGINES, env: { ETCD_ENDPOINTS: etcd, DATABASE_URL: postgres } }, write)),
  };
}
