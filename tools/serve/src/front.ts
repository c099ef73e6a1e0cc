import { spawn } from 'node:child_process';
import { Socket } from 'node:net';

/** How the supervisor is told from its front: an argument before all others. */
export const SUPERVISE = '--supervise';

/** On this descriptor the two talk, a word a line: `stop`, `kill`; `exit 0`. */
const CHANNEL = 3;

/**
 * Starts the supervisor outside of our tree of processes, passes signals on to it, and resolves to its exit code.
 *
 * To stop a task nx signals the leaves of its tree first and the parents after those have ended, and kills what is left five
 * seconds later (`killProcessTreeGraceful`). Seen so, engines would stop before the apps that use them, and the supervisor,
 * not knowing why, would start both again. With the supervisor elsewhere the only leaf is this process.
 */
export function runInFront(main: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    // The shell ends at once, so the supervisor has another parent.
    const shell = spawn('/bin/sh', ['-c', '"$@" &', 'sh', process.execPath, main, SUPERVISE, ...args], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'], detached: true });
    shell.once('error', (error) => {
      process.stderr.write(`serve: /bin/sh could not be started: ${error.message}\n`);
      resolve(1);
    });
    const channel = shell.stdio[CHANNEL] as Socket;
    // Without a word: the supervisor was killed.
    let code = 1;
    channel.on('data', (data: Buffer) => (code = Number(/exit (\d+)/.exec(data.toString())?.[1] ?? code)));
    channel.on('error', () => {});
    channel.once('close', () => resolve(code));
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => channel.write(`stop ${signal}\n`));
  });
}

/** The supervisor's end. */
export interface Front {
  /** Tells the front how it ends. Call it last. */
  exit(code: number): void;
}

/** Listens to the front: `onStop` hears of its signals, and of its end. */
export function listenToFront(onStop: (why: string) => void): Front {
  const channel = new Socket({ fd: CHANNEL, readable: true, writable: true });
  channel.on('data', (data: Buffer) => {
    for (const [, signal = ''] of data.toString().matchAll(/stop (\w+)\n/g)) onStop(signal);
  });
  channel.on('error', () => {});
  channel.once('end', () => onStop('whoever started it is gone'));
  channel.unref();
  return {
    exit(code) {
      const leave = (): void => process.exit(code);
      channel.write(`exit ${code}\n`, leave);
      // The front may be gone.
      setTimeout(leave, 100);
    },
  };
}
