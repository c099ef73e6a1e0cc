import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A command, and how it is run. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** Variables besides this process's. */
  readonly env?: Readonly<Record<string, string>>;
  /** How long it may print nothing, in milliseconds: then it hangs, is ended, and has failed. Default 1,200,000. */
  readonly silentMs?: number;
}

/** Longer than any test takes on a busy machine; without it one that hangs would stop everything for good. */
const SILENT_MS = 1_200_000;

/** How long what a command has left behind may hold on to its output. */
const OUTPUT_GRACE_MS = 5_000;

/**
 * nx sets FORCE_COLOR for what it runs, and node warns on standard error where NO_COLOR is set too: say it in nx's way only. And node's test
 * runner runs nothing in what it believes to be a file of another one's tests.
 */
function environment(): NodeJS.ProcessEnv {
  const { NO_COLOR: noColor, NODE_TEST_CONTEXT: _, ...rest } = process.env;
  return noColor || !process.stdout.isTTY ? { ...rest, FORCE_COLOR: '0' } : rest;
}

/** Runs a command in this process group, passes on each line of its output and of its errors, and answers whether it worked. Rejects if it cannot be started. */
export function runCommand({ command, args, cwd, env, silentMs = SILENT_MS }: Command, line: (text: string) => void): Promise<boolean> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], env: { ...environment(), ...env }, shell: process.platform === 'win32' });
  const silence = setTimeout(() => {
    line(`Nothing was printed for ${silentMs / 1000} s: it hangs, and is ended.`);
    child.kill('SIGTERM');
  }, silentMs).unref();
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on('line', (text) => {
      silence.refresh();
      line(text);
    });
  }
  let grace: NodeJS.Timeout | undefined;
  child.once('exit', () => {
    grace = setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, OUTPUT_GRACE_MS);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(silence);
      clearTimeout(grace);
      resolve(code === 0);
    });
  });
}
