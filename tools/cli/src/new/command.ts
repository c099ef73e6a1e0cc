import { spawn } from 'node:child_process';

/** How a command ended. */
export interface Ended {
  /** The exit code; undefined if there is no such command, or it was stopped. */
  readonly code: number | undefined;
  /** All that it wrote. */
  readonly output: string;
}

/** What npx and npm scripts set for their own work, and the next npm would take for its own. */
const OF_ANOTHER_NPM = /^(npm_config_(package|call|yes|local_prefix|prefix|workspace|workspaces|dry_run)|npm_(package|lifecycle)_.*|npm_command|INIT_CWD)$/i;

/** How long a command may take to end once it is told to. */
const END_MS = 5000;

/** Runs a command in `folder` until it ends or `signal` aborts. Never rejects. */
export function run(command: string, args: readonly string[], folder: string, env: Readonly<Record<string, string | undefined>>, signal: AbortSignal): Promise<Ended> {
  return new Promise((resolve) => {
    const clean = Object.fromEntries(Object.entries(env).filter(([name]) => !OF_ANOTHER_NPM.test(name)));
    // npm is a .cmd file on Windows, which only a shell runs; none of the arguments is the user's.
    const child = spawn(command, [...args], { cwd: folder, env: clean, stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32', detached: process.platform !== 'win32' });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const tell = (what: NodeJS.Signals): void => {
      try {
        if (child.pid === undefined) return;
        // The whole group: npm's own children write into the folder, too.
        if (process.platform === 'win32') child.kill(what);
        else process.kill(-child.pid, what);
      } catch {
        // It has just ended.
      }
    };
    let force: NodeJS.Timeout | undefined;
    const stop = (): void => {
      tell('SIGTERM');
      force = setTimeout(() => tell('SIGKILL'), END_MS);
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    const end = (code: number | undefined): void => {
      clearTimeout(force);
      signal.removeEventListener('abort', stop);
      resolve({ code, output });
    };
    child.once('error', () => end(undefined));
    child.once('close', (code) => end(code ?? undefined));
  });
}
