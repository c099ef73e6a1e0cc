import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** A program that said that it is ready. */
export interface RunningProgram {
  /** From its start until it said so. */
  readonly readyMs: number;
  /** What it had computed by then, on all its threads; NaN where there is no /proc. */
  readonly cpuMs: number;
  readonly pid: number;
  /** Asks it to stop and resolves when it has. */
  stop(): Promise<void>;
}

/** How long a program is left alone before its memory counts as that of an idle one. */
const SETTLE_MS = 3_000;
const READY_WITHIN_MS = 60_000;

/** Starts `node [...args]` and waits until it says over IPC that it is ready. Rejects with its output if it ends before. */
export async function startProgram(args: readonly string[], env: NodeJS.ProcessEnv): Promise<RunningProgram> {
  const began = performance.now();
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-20_000)));
  const exited = once(child, 'exit');
  const failed = Promise.race([exited.then(() => 'ended'), pause(READY_WITHIN_MS, 'took too long', { ref: false })]).then((how) => {
    child.kill('SIGKILL');
    throw new Error(`${args.at(-1)} ${how} before it was ready. Its output:\n${output}`);
  });
  failed.catch(() => {}); // It ends later, when it is asked to.
  await Promise.race([once(child, 'message'), failed]);
  const readyMs = performance.now() - began;
  const pid = child.pid ?? -1;
  return {
    readyMs,
    cpuMs: cpuMs(pid),
    pid,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** The CPU time of a process, all threads; NaN where there is no /proc. */
function cpuMs(pid: number): number {
  if (process.platform !== 'linux') return Number.NaN;
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6, 0);
}

/** The resident memory of a process, in MB (10^6 bytes). */
export function residentMb(pid: number): number {
  if (process.platform === 'linux') return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 0.001024;
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 0.001024;
}

/** What one start showed. */
export interface StartSample {
  readonly readyMs: number;
  readonly cpuMs: number;
  /** After a while without any work. */
  readonly idleMb: number;
}

/** Starts a program, leaves it alone for a while, and stops it. */
export async function sampleStart(args: readonly string[], env: NodeJS.ProcessEnv): Promise<StartSample> {
  const program = await startProgram(args, env);
  try {
    await pause(SETTLE_MS);
    return { readyMs: program.readyMs, cpuMs: program.cpuMs, idleMb: residentMb(program.pid) };
  } finally {
    await program.stop();
  }
}
