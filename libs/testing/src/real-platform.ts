import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { eventually } from './eventually.ts';
import { processesOf, sendSignal, type RunningProcess } from './processes.ts';
import { childEnvironment, freePort, serveProgram, temporaryFolder, workspaceRoot } from './workspace.ts';

/** What to serve. */
export interface RealPlatformOptions {
  /** As in `npx nx serve <app>`. Default `webhook-api`. */
  readonly app?: string;
  /** What follows the app, such as `--inspect`. Default: nothing. */
  readonly args?: readonly string[];
  /** On top of the environment of the tests. PORT and TALARIA_STATE_DIR are otherwise free ones of their own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How long it may take until it is ready, in ms. Default 180,000: slow machines, cold caches. */
  readonly readyMs?: number;
}

/** A platform of real processes. */
export interface RealPlatform {
  /** `http://localhost:41234`. */
  readonly gateway: string;
  readonly stateDir: string;
  /** What it has written so far (the last megabyte). */
  output(): string;
  /** Of the process that serves. */
  readonly pid: number;
  processes(): Promise<RunningProcess[]>;
  /** Sends a signal (default SIGKILL) to each process whose command line matches, and answers how many there were. */
  kill(pattern: string | RegExp, signal?: NodeJS.Signals): Promise<number>;
  /** Stops it as Ctrl-C would. Rejects if it takes too long or leaves a process behind, after having ended all of them. */
  stop(): Promise<void>;
}

const MAX_OUTPUT = 1_000_000;
const STOP_MS = 60_000;

/** Runs `talaria-serve <app>` in the workspace and waits until it says that it is ready. Rejects with all of its output when it does not. */
export async function startRealPlatform({ app = 'webhook-api', args = [], env = {}, readyMs = 180_000 }: RealPlatformOptions = {}): Promise<RealPlatform> {
  const port = env['PORT'] ?? String(await freePort());
  const ownDir = env['TALARIA_STATE_DIR'] === undefined ? await temporaryFolder() : undefined;
  const stateDir = env['TALARIA_STATE_DIR'] ?? ownDir ?? '';
  const child = spawn(process.execPath, [serveProgram(), app, ...args], {
    cwd: workspaceRoot(),
    env: childEnvironment({ ...env, PORT: port, TALARIA_STATE_DIR: stateDir }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-MAX_OUTPUT)));
  const exited = once(child, 'exit');
  const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const pid = child.pid ?? -1;
  const processes = (): Promise<RunningProcess[]> => processesOf(stateDir, pid);

  const clear = async (): Promise<readonly RunningProcess[]> => {
    const left = await processes();
    for (const { pid: one } of left) sendSignal(one, 'SIGKILL');
    if (left.length > 0) await eventually(async () => (await processes()).length === 0);
    if (ownDir) await rm(ownDir, { recursive: true, force: true, maxRetries: 5 });
    return left;
  };
  const platform: RealPlatform = {
    gateway: `http://localhost:${port}`,
    stateDir,
    output: () => output,
    pid,
    processes,
    async kill(pattern, signal = 'SIGKILL') {
      const matching = (await processes()).filter(({ command }) => (typeof pattern === 'string' ? command.includes(pattern) : pattern.test(command)));
      return matching.filter((one) => sendSignal(one.pid, signal)).length;
    },
    async stop() {
      child.kill('SIGTERM');
      let timer: NodeJS.Timeout | undefined;
      const limit = new Promise((resolve) => (timer = setTimeout(resolve, STOP_MS)));
      await Promise.race([exited, limit]);
      clearTimeout(timer);
      const inTime = ended();
      const left = await clear();
      if (!inTime) throw new Error(`serve did not stop within ${STOP_MS} ms; its output:\n${output}`);
      if (left.length > 0) throw new Error(`serve left processes behind:\n${left.map(({ command }) => command).join('\n')}\nIts output:\n${output}`);
    },
  };

  try {
    await eventually(
      () => {
        if (ended()) return 'ended';
        return /\bis ready (at|after)\b/.test(output);
      },
      { limitMs: readyMs, intervalMs: 50 },
    );
    if (ended()) throw new Error(`serve ended with code ${child.exitCode}`);
  } catch (error) {
    child.kill('SIGTERM');
    await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, STOP_MS).unref())]);
    await clear();
    throw new Error(`${app} did not become ready: ${(error as Error).message}. Its output:\n${output}`);
  }
  return platform;
}
