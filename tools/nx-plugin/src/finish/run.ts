import { spawn } from 'node:child_process';

/** How many lines of what a program wrote go into the reason why it failed. */
const LINES = 12;

/** Runs a program to its end, in the workspace; `stop` ends it. Rejects with what it wrote last if it fails. */
export function run(root: string, command: string, args: readonly string[], stop: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    // npm is a .cmd file on Windows, which only a shell starts.
    const child = spawn(command, [...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const end = (): void => void child.kill('SIGTERM');
    stop.addEventListener('abort', end, { once: true });
    if (stop.aborted) end();
    child.once('error', (error) => reject(new Error(`${command} cannot be started (${error.message})`)));
    child.once('close', (code) => {
      stop.removeEventListener('abort', end);
      if (code === 0 && !stop.aborted) resolve();
      else reject(new Error(output.trim().split('\n').slice(-LINES).join('\n')));
    });
  });
}
