import { spawn, type ChildProcess } from 'node:child_process';
import type { Output } from './output.ts';
import { identify, type ProcessIdentity } from './process-identity.ts';

/** What a process tells us over IPC when it works; engines add where they are. */
export interface ReadyMessage {
  readonly ready: true;
  /** `host:port`. */
  readonly address?: string;
  readonly url?: string;
}

/** One process to keep running. */
export interface ChildOptions {
  /** Before each line of its output. */
  readonly name: string;
  /** What `node` runs, relative to `cwd`, with arguments. */
  readonly args: readonly string[];
  readonly cwd: string;
  /** Asked at each start. */
  readonly env: () => NodeJS.ProcessEnv;
  readonly output: Output;
  /** Called each time it says that it works. */
  readonly onReady?: (message: ReadyMessage) => void;
  /** Called whenever a process starts or ends. */
  readonly onChange?: () => void;
  /** How long it may take to stop when it is restarted, in ms. Default 5,000: whoever changes a source waits for it. */
  readonly restartLimitMs?: number;
}

/** A process that comes back when it dies. */
export interface Child {
  readonly name: string;
  /** Whether it runs and said that it works. */
  readonly ready: boolean;
  /** The process that runs now. */
  readonly process: ProcessIdentity | undefined;
  start(): void;
  /** Resolves when it works, at once if it does; `onEnd` hears of each time that it ends before. */
  untilReady(onEnd?: () => void): Promise<void>;
  /** Stops the process, if it runs, and starts it anew, without backoff. */
  restart(reason: string): Promise<void>;
  /** Stops for good: SIGTERM, and SIGKILL after `limitMs`. */
  stop(limitMs: number): Promise<void>;
  /** Ends it this instant. */
  kill(): void;
}

const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 5000;
/** A process that worked this long before it died starts again without the backoff of earlier deaths. */
const STABLE_MS = 2000;
/** Who stops us may stop our processes just before (nx does): their ends are told only if we are not stopped ourselves. */
const NOTICE_MS = 50;
/** What Node writes when its program has ended and a debugger is still attached: it would wait for that for ever. */
const HELD_BY_DEBUGGER = 'Waiting for the debugger to disconnect...';
const RESTART_LIMIT_MS = 5000;

/**
 * Keeps one process running. It leads a process group of its own (not on Windows), so that Ctrl-C reaches the supervisor
 * alone, which then stops apps before engines; if the supervisor dies, the IPC channel closes and the process stops by itself.
 */
export function createChild(options: ChildOptions): Child {
  const { name, output, restartLimitMs = RESTART_LIMIT_MS } = options;
  const grouped = process.platform !== 'win32';
  let running: { readonly child: ChildProcess; readonly identity: ProcessIdentity; readonly exited: Promise<void> } | undefined;
  let ready = false;
  let readySince: number | undefined;
  let backoff = FIRST_BACKOFF_MS;
  let timer: NodeJS.Timeout | undefined;
  let notice: NodeJS.Timeout | undefined;
  let wanted = false;
  /** Set while we stop it ourselves, so that its end is no death. */
  let stopping = false;
  const waiting = new Set<{ readonly resolve: () => void; readonly onEnd: (() => void) | undefined }>();

  const signal = (child: ChildProcess, what: NodeJS.Signals): void => {
    try {
      // SIGTERM is for the process, which ends its own children in order; SIGKILL is for all that is left of the group.
      if (what === 'SIGKILL' && grouped && child.pid !== undefined) process.kill(-child.pid, what);
      else child.kill(what);
    } catch {
      // It has just ended.
    }
  };

  const launch = (): void => {
    clearTimeout(timer);
    timer = undefined;
    // argv0: people look for `node apps/…` in their process list.
    const child = spawn(process.execPath, options.args, { argv0: 'node', cwd: options.cwd, env: options.env(), stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: grouped });
    if (child.stdout) output.attach(name, child.stdout);
    if (child.stderr) output.attach(name, child.stderr);
    let held = false;
    child.stderr?.on('data', (chunk: string) => {
      if (!chunk.includes(HELD_BY_DEBUGGER)) return;
      held = true;
      signal(child, 'SIGKILL');
    });
    child.on('message', (message) => {
      if (typeof message !== 'object' || message === null || (message as Partial<ReadyMessage>).ready !== true || running?.child !== child) return;
      ready = true;
      readySince ??= performance.now();
      options.onReady?.(message as ReadyMessage);
      for (const { resolve } of waiting) resolve();
      waiting.clear();
    });
    const exited = new Promise<void>((resolve) => {
      const onEnd = (how: string): void => {
        if (running?.child !== child) return;
        running = undefined;
        ready = false;
        if (wanted && !stopping) comeBack(how);
        options.onChange?.();
        resolve();
      };
      child.once('exit', (code, killedBy) => onEnd(held ? 'ended, with a debugger attached' : killedBy === null ? `ended with exit code ${code}` : `was ended by ${killedBy}`));
      child.on('error', (error) => {
        if (child.pid === undefined) onEnd(`could not be started: ${error.message}`);
      });
    });
    running = { child, identity: identify(child.pid ?? -1), exited };
    options.onChange?.();
  };

  const comeBack = (how: string): void => {
    if (readySince !== undefined && performance.now() - readySince >= STABLE_MS) backoff = FIRST_BACKOFF_MS;
    readySince = undefined;
    const line = `${name} ${how}; it starts again in ${backoff / 1000} s.`;
    notice = setTimeout(() => {
      output.say(line);
      for (const { onEnd } of waiting) onEnd?.();
    }, NOTICE_MS);
    timer = setTimeout(launch, backoff);
    backoff = Math.min(backoff * 2, MAX_BACKOFF_MS);
  };

  const end = async (limitMs: number): Promise<void> => {
    clearTimeout(notice);
    clearTimeout(timer);
    timer = undefined;
    const current = running;
    if (!current) return;
    stopping = true;
    signal(current.child, 'SIGTERM');
    const force = setTimeout(() => {
      output.say(`${name} did not stop within ${limitMs / 1000} s and is killed.`);
      signal(current.child, 'SIGKILL');
    }, limitMs);
    await current.exited;
    clearTimeout(force);
    stopping = false;
  };

  let restarting: Promise<void> | undefined;
  return {
    name,
    get ready() {
      return ready;
    },
    get process() {
      return running?.identity;
    },
    start() {
      wanted = true;
      launch();
    },
    untilReady: (onEnd) => (ready ? Promise.resolve() : new Promise((resolve) => waiting.add({ resolve, onEnd }))),
    restart(reason) {
      restarting ??= (async () => {
        output.say(`${name} restarts: ${reason}.`);
        await end(restartLimitMs);
        restarting = undefined;
        backoff = FIRST_BACKOFF_MS;
        readySince = undefined;
        if (wanted) launch();
      })();
      return restarting;
    },
    async stop(limitMs) {
      wanted = false;
      await end(limitMs);
    },
    kill() {
      wanted = false;
      clearTimeout(notice);
      clearTimeout(timer);
      if (running) signal(running.child, 'SIGKILL');
    },
  };
}
