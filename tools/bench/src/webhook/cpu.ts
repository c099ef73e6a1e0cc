import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** CPU time by what a process is, in seconds; empty where there is no /proc. PostgreSQL's processes are one row. */
export function cpuByProcess(processes: readonly { readonly pid: number; readonly command: string }[]): Map<string, number> {
  const used = new Map<string, number>();
  if (process.platform !== 'linux') return used;
  const ticks = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  const known = new Map(processes.map(({ pid, command }) => [pid, command]));
  const parents = new Map<number, number>();
  const seconds = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      // After the name in brackets: state ppid …, utime and stime are fields 14 and 15 of proc(5).
      const fields = readFileSync(`/proc/${entry}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
      parents.set(Number(entry), Number(fields[1]));
      seconds.set(Number(entry), (Number(fields[11]) + Number(fields[12])) / ticks);
    } catch {
      // It ended meanwhile.
    }
  }
  for (const [pid, spent] of seconds) {
    let command = known.get(pid);
    for (let at: number | undefined = pid; command === undefined && at; at = parents.get(at)) command = known.get(at);
    if (command === undefined) continue;
    const name = /(?:apps|tools)\/([\w-]+)\//.exec(command)?.[1] ?? (command.includes('postgres') ? 'postgres' : command.slice(0, 30));
    used.set(name, (used.get(name) ?? 0) + spent);
  }
  return used;
}
