import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';

/** A shell in which a person types lines, one after the other. */
export interface Terminal {
  /** All that was shown, with the lines typed. */
  shown(): string;
  /** What commands printed, without the lines and the errors. */
  printed(): string;
  /** Resolves when all lines have worked. Rejects with what was shown if one failed. */
  readonly done: Promise<void>;
  /** Ends everything that runs in it: SIGINT is Ctrl-C. */
  signal(what: NodeJS.Signals): void;
}

/** How much of what was shown an error repeats. */
const LAST_CHARACTERS = 6000;

/** Where a terminal works. */
export interface TerminalOptions {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** A file that may be written: the lines, from which bash reads one, runs it, and reads the next. */
  readonly script: string;
}

/** Runs the lines in bash. It shows each line before it runs, and stops at the first that fails. */
export function openTerminal(lines: readonly string[], { folder, env, script }: TerminalOptions): Terminal {
  writeFileSync(script, lines.map((line) => `${line}\n`).join(''));
  // In a process group of its own, as a terminal's foreground job is.
  const shell = spawn('bash', ['-ev', script], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let [text, printed] = ['', ''];
  for (const stream of [shell.stdout, shell.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  shell.stdout.on('data', (chunk: string) => (printed += chunk));
  const done = new Promise<void>((resolve, reject) => {
    shell.once('error', reject);
    shell.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`A line failed (${signal ?? `exit code ${code}`}). The terminal shows:\n${text.slice(-LAST_CHARACTERS)}`));
    });
  });
  // Whoever waits for it hears of it.
  done.catch(() => {});
  return {
    shown: () => text,
    printed: () => printed,
    done,
    signal(what) {
      try {
        if (shell.pid !== undefined) process.kill(-shell.pid, what);
      } catch {
        // Everything in it has ended.
      }
    },
  };
}
