import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Output } from './output.ts';
import { stillRuns, type ProcessIdentity } from './process-identity.ts';
import { readJson, writeJson } from './state-dir.ts';

interface Noted extends ProcessIdentity {
  readonly name: string;
}

const fileIn = (stateDir: string): string => join(stateDir, 'processes.json');

/** Notes which processes run, for a supervisor that comes after this one was killed. */
export function noteProcesses(stateDir: string, children: readonly { readonly name: string; readonly process: ProcessIdentity | undefined }[]): void {
  writeJson(
    fileIn(stateDir),
    children.flatMap(({ name, process }) => (process ? [{ name, ...process } satisfies Noted] : [])),
  );
}

/** How long processes whose supervisor is gone may take to notice and stop. */
const NOTICE_MS = 6000;
const TERM_MS = 3000;

/** Waits until the processes of a killed supervisor have stopped, which they do by themselves; ends those that do not. */
export async function clearLeftovers(stateDir: string, output: Output): Promise<void> {
  let left = (readJson<Noted[]>(fileIn(stateDir)) ?? []).filter(stillRuns);
  if (left.length === 0) return;
  output.say(`Waiting for what a killed supervisor left behind: ${left.map(({ name, pid }) => `${name} (${pid})`).join(', ')}.`);
  const gone = async (limitMs: number): Promise<boolean> => {
    for (const until = performance.now() + limitMs; performance.now() < until; await delay(50)) {
      left = left.filter(stillRuns);
      if (left.length === 0) return true;
    }
    return false;
  };
  const signal = (what: NodeJS.Signals): void => {
    for (const { pid } of left) {
      try {
        process.kill(process.platform === 'win32' ? pid : -pid, what);
      } catch {
        // It has just ended.
      }
    }
  };
  if (await gone(NOTICE_MS)) return;
  signal('SIGTERM');
  if (await gone(TERM_MS)) return;
  signal('SIGKILL');
  await gone(TERM_MS);
}
