import { execFile, type SpawnOptions } from 'node:child_process';
import { lchown, readdir, stat } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { UserError } from './user-error.ts';

/** How programs of PostgreSQL are run, which refuses to run as root. */
export interface Identity {
  /** What comes before the program and its arguments. */
  readonly prefix: readonly string[];
  readonly spawn: Pick<SpawnOptions, 'uid' | 'gid'> & { env: NodeJS.ProcessEnv };
  /** Who owns the data directory, as this process sees it; undefined where there are no such owners (Windows). */
  readonly owner: number | undefined;
}

/** `nobody`, on every Linux and macOS that matters here. */
const NOBODY = 65534;

/** Whether others may pass through `folder` and all folders above it. */
async function isReachable(folder: string): Promise<boolean> {
  for (let at = resolve(folder); ; at = dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

async function works(identity: Identity): Promise<boolean> {
  const [file = '', ...args] = [...identity.prefix, 'postgres', '--version'];
  return promisify(execFile)(file, args, { ...identity.spawn, timeout: 10_000 }).then(
    () => true,
    () => false,
  );
}

/** Finds how to run PostgreSQL's programs from the folder `binaries` on the data in `folder`, which must exist. */
export async function chooseIdentity(binaries: string, folder: string): Promise<Identity> {
  // The programs are found through PATH, so that their command line begins with their bare name.
  const env: NodeJS.ProcessEnv = { PATH: `${binaries}${delimiter}${process.env['PATH'] ?? ''}`, LC_ALL: 'C', TZ: 'UTC' };
  if (process.platform === 'win32') return { prefix: [], spawn: { env: { ...process.env, ...env } }, owner: undefined };
  const uid = process.getuid?.() ?? 0;
  const own: Identity = { prefix: [], spawn: { env }, owner: uid };
  if (uid !== 0) {
    if (await works(own)) return own;
    throw new UserError(`PostgreSQL's binaries in ${binaries} do not run here: run npm ci again, or set DATABASE_URL to a PostgreSQL server.`);
  }
  const candidates: Identity[] = [];
  // Nothing else in its PATH: where nobody cannot reach our programs, another PostgreSQL of this machine would be taken for them.
  if (await isReachable(folder)) candidates.push({ prefix: [], spawn: { env: { ...env, PATH: binaries }, uid: NOBODY, gid: NOBODY }, owner: NOBODY });
  // In a namespace where root is called nobody: works below folders that only root may enter.
  candidates.push({ prefix: ['unshare', '--user', `--map-user=${NOBODY}`, '--'], spawn: { env }, owner: 0 });
  // Containers often deny namespaces, yet leave root the capability to pass through folders, which can be handed on.
  const capability = '+dac_override';
  const setpriv = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', `--inh-caps=${capability}`, `--ambient-caps=${capability}`, '--'];
  candidates.push({ prefix: setpriv, spawn: { env }, owner: NOBODY });
  for (const candidate of candidates) {
    if (await works(candidate)) return candidate;
  }
  throw new UserError(`PostgreSQL refuses to run as root, and another user cannot reach ${folder} or ${binaries}: run as another user, use folders below one that all users may enter (TALARIA_STATE_DIR), or set DATABASE_URL to a PostgreSQL server.`);
}

/** Gives `path`, and all that is in it, to `owner`. */
export async function giveTo(owner: number | undefined, path: string): Promise<void> {
  if (owner === undefined || process.getuid?.() !== 0) return;
  await lchown(path, owner, owner);
  for (const entry of await readdir(path, { withFileTypes: true, recursive: true })) {
    // Files come and go while a server works on them.
    await lchown(join(entry.parentPath, entry.name), owner, owner).catch(() => {});
  }
}
