import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { count, NOTHING, type Tally } from './tally.ts';

/** What a step did. */
export interface StepResult {
  readonly name: string;
  readonly ok: boolean;
  readonly tally: Tally;
  readonly seconds: number;
}

/**
 * nx sets FORCE_COLOR for what it runs, and node warns on standard error where NO_COLOR is set too: say it in nx's way only.
 */
function environment(): NodeJS.ProcessEnv {
  const { NO_COLOR: noColor, ...rest } = process.env;
  return noColor || !process.stdout.isTTY ? { ...rest, FORCE_COLOR: '0' } : rest;
}

/** Runs `nx` with `args` in this process group, passes its output on, and counts the tests in it. */
export function runStep(name: string, args: readonly string[]): Promise<StepResult> {
  const started = performance.now();
  process.stdout.write(`\n=== ${name}: nx ${args.join(' ')}\n`);
  const child = spawn('nx', args, { stdio: ['ignore', 'pipe', 'inherit'], env: environment(), shell: process.platform === 'win32' });
  let tally = NOTHING;
  createInterface({ input: child.stdout }).on('line', (line) => {
    process.stdout.write(`${line}\n`);
    tally = count(tally, stripVTControlCharacters(line));
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ name, ok: code === 0, tally, seconds: (performance.now() - started) / 1000 }));
  });
}
