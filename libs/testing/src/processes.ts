import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** A process that runs. */
export interface RunningProcess {
  readonly pid: number;
  /** Its command line. */
  readonly command: string;
}

interface Row extends RunningProcess {
  readonly parent: number;
}

async function allProcesses(): Promise<Row[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'pid=,ppid=,state=,args='], { maxBuffer: 16 * 1024 * 1024 });
  return [...stdout.matchAll(/^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/gm)].flatMap(([, pid, parent, state = '', command = '']) =>
    // A zombie is dead; only its parent has not noticed.
    state.startsWith('Z') ? [] : [{ pid: Number(pid), parent: Number(parent), command: command.trim() }],
  );
}

async function worksOn(pid: number, stateDir: string): Promise<boolean> {
  try {
    const text = `TALARIA_STATE_DIR=${stateDir}`;
    // Of several instances of an app, each has a folder of its own below it.
    return (await readFile(`/proc/${pid}/environ`, 'latin1')).split('\0').some((each) => each === text || each.startsWith(`${text}/`));
  } catch {
    return false; // It ended meanwhile, belongs to another user, or this machine has no /proc.
  }
}

/** The processes that work on a state directory: those that name it in their arguments or environment, and their descendants. */
export async function processesOf(stateDir: string, root: number): Promise<RunningProcess[]> {
  const rows = await allProcesses();
  const found = new Map<number, Row>();
  for (const row of rows) {
    if (row.pid === process.pid) continue;
    if (row.pid === root || row.command.includes(stateDir) || (await worksOn(row.pid, stateDir))) found.set(row.pid, row);
  }
  for (let grew = true; grew; ) {
    const children = rows.filter(({ pid, parent }) => !found.has(pid) && found.has(parent));
    for (const child of children) found.set(child.pid, child);
    grew = children.length > 0;
  }
  return [...found.values()].map(({ pid, command }) => ({ pid, command }));
}

/** Sends a signal; false if the process has ended. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
