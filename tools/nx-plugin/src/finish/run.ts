import { spawn } from 'node:child_process';

/** How many lines of what a program wrote go into the reason why it failed. */
const LINES = 12;
/** What does not end when it is told to is ended after this, in ms. */
const PATIENCE_MS = 5_000;

/** Runs a program to its end, in the workspace; `stop` ends it. Rejects with what it wrote last if it fails. */
export function run(root: string, command: string, args: readonly string[], stop: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const windows = process.platform === 'win32';
    // A group of its own, so that what npm starts can be ended with it; npm is a .cmd file on Windows, which only a shell starts.
    const child = spawn(command, [...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], shell: windows, detached: !windows });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const signal = (name: NodeJS.Signals): void => {
      try {
        if (windows || child.pid === undefined) child.kill(name);
        else process.kill(-child.pid, name);
      } catch {
        // It has ended meanwhile.
      }
    };
    let last: NodeJS.Timeout | undefined;
    const end = (): void => {
      signal('SIGTERM');
      last = setTimeout(() => signal('SIGKILL'), PATIENCE_MS);
    };
    stop.addEventListener('abort', end, { once: true });
    if (stop.aborted) end();
    child.once('error', (error) => reject(new Error(`${command} cannot be started (${error.message})`)));
    child.once('close', (code) => {
      clearTimeout(last);
      stop.removeEventListener('abort', end);
      if (code === 0 && !stop.aborted) resolve();
      else reject(new Error(output.trim().split('\n').slice(-LINES).join('\n')));
    });
  });
}
