import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Whether a process with this id runs (also one of another user). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  // A zombie has ended; only its parent has not looked yet.
  return statOf(pid)?.state !== 'Z';
}

/** The state and the start time (in ticks since boot) of a process, from Linux's /proc. */
function statOf(pid: number): { readonly state: string; readonly started: string } | undefined {
  try {
    // The second field is the name in parentheses, which may itself hold spaces and parentheses.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
    return { state: fields[0] ?? '', started: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

/**
 * What tells a process from a later one with the same id: when it started. Undefined where the machine does not say
 * (Windows), and for a process that has ended.
 */
export function startOf(pid: number): string | undefined {
  if (process.platform === 'win32') return undefined;
  if (process.platform === 'linux') return statOf(pid)?.started;
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim() || undefined;
  } catch {
    return undefined;
  }
}

/** A process, so that it can be recognised later. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly started: string | undefined;
}

/** The identity of a process that runs now. */
export function identify(pid: number): ProcessIdentity {
  return { pid, started: startOf(pid) };
}

/** Whether exactly this process still runs. */
export function stillRuns({ pid, started }: ProcessIdentity): boolean {
  return isAlive(pid) && (started === undefined || startOf(pid) === started);
}
