import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { identify, stillRuns, type ProcessIdentity } from './process-identity.ts';
import { ServeError } from './serve-error.ts';

/** Where one platform keeps its data, keys and ports. One supervisor at a time holds it. */
export interface StateDir {
  readonly path: string;
  /** Lets the next supervisor in. */
  release(): void;
}

interface Lock extends ProcessIdentity {
  readonly app: string;
}

/** The state directory that the environment names; default `.talaria` in the workspace. */
export function stateDirOf(root: string, env: NodeJS.ProcessEnv): string {
  return resolve(root, env['TALARIA_STATE_DIR'] || '.talaria');
}

/** Reads a JSON file; undefined if it is missing or torn (its writer was killed). */
export function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

/** Writes a JSON file so that a reader never sees half of it. */
export function writeJson(file: string, value: unknown, mode = 0o600): void {
  const aside = `${file}.${process.pid}`;
  writeFileSync(aside, `${JSON.stringify(value, null, 2)}\n`, { mode });
  renameSync(aside, file);
}

/** Takes the state directory for this process. Throws a `ServeError` if a running supervisor has it; a dead one's lock is taken over. */
export function acquireStateDir(path: string, app: string): StateDir {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new ServeError(`The state directory ${path} cannot be made (${(error as Error).message}): set TALARIA_STATE_DIR to a folder that you may write.`);
  }
  const file = join(path, 'serve.lock');
  const mine = `${file}.${process.pid}`;
  writeJson(mine, { ...identify(process.pid), app } satisfies Lock);
  try {
    for (;;) {
      try {
        // A hard link appears whole or not at all, and never replaces: of two supervisors that start at once, one wins.
        linkSync(mine, file);
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = readJson<Lock>(file);
      if (holder && stillRuns(holder)) {
        throw new ServeError(
          `"${holder.app}" is being served from ${path} by process ${holder.pid}: stop that (Ctrl-C there, or kill ${holder.pid}), or run this one beside it with ` +
            'another state directory and port, such as TALARIA_STATE_DIR=.talaria-2 PORT=8081.',
        );
      }
      removeStale(file, holder);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  return { path, release: () => rmSync(file, { force: true }) };
}

/** Removes the lock of a supervisor that was killed, unless somebody has replaced it since it was read. */
function removeStale(file: string, seen: Lock | undefined): void {
  const aside = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, aside);
    const moved = readJson<Lock>(aside);
    if (moved && (moved.pid !== seen?.pid || moved.started !== seen.started)) linkSync(aside, file);
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}
