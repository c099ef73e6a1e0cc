import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from './user-error.ts';

/** What a server writes of itself into its data directory. Source: postgresql.org/docs/15/storage-file-layout.html, postmaster.pid */
export interface LockFile {
  readonly pid: number;
  readonly port: number;
}

/** Whether a process is there, zombies excepted. */
export async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return false;
  }
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return status === undefined || !/\) Z /.test(status);
}

/** The server that runs on `data`, if one does. */
export async function readLockFile(data: string): Promise<LockFile | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (!(pid > 0) || !(await isRunning(pid))) return undefined;
  // The number may have gone to another program since (a container that was started again).
  if (existsSync('/proc/self/cmdline')) {
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (!commandLine.includes('postgres') || !commandLine.includes(data)) return undefined;
  }
  return { pid, port };
}

/** Whether the lock file names a process that has nothing to do with it. PostgreSQL itself would refuse to start. */
export async function hasStaleLock(data: string): Promise<boolean> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => undefined);
  return text !== undefined && (await readLockFile(data)) === undefined;
}
