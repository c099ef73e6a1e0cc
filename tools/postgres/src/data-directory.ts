import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { giveTo, type Identity } from './identity.ts';
import { codeOf, UserError } from './user-error.ts';

/** What the launcher keeps in the folder that it was given. */
export interface DataDirectory {
  /** PostgreSQL's own data directory. */
  readonly data: string;
  /** Of the superuser `postgres`. */
  readonly password: string;
  /** The port used last, if any. */
  readonly lastPort: number | undefined;
  rememberPort(port: number): Promise<void>;
}

const OURS = /^(data(\.\d+)?|password|port|server\.log|postgresql-.*)$/;

/** Refuses a folder that holds something else, and makes it if it is missing. */
export async function prepareFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new UserError(`${folder} cannot be made (${codeOf(error)}): choose another folder for PostgreSQL's data with --data-dir (under serve: TALARIA_STATE_DIR).`);
  }
  const foreign = (await readdir(folder)).find((name) => !OURS.test(name));
  if (foreign !== undefined) {
    throw new UserError(`${folder} holds something else already (${foreign}): choose an empty folder for PostgreSQL's data with --data-dir (under serve: TALARIA_STATE_DIR).`);
  }
}

async function readPassword(file: string): Promise<string> {
  await writeFile(file, randomBytes(24).toString('hex'), { flag: 'wx', mode: 0o600 }).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
  return readFile(file, 'utf8');
}

async function initialise(identity: Identity, folder: string, data: string, password: string): Promise<void> {
  // In a folder of its own, renamed when it is whole: one that was interrupted is never taken for a database.
  for (const name of await readdir(folder)) {
    const pid = /^data\.(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, name), { recursive: true, force: true });
  }
  const unfinished = `${data}.${process.pid}`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o755 });
  const passwordFile = join(unfinished, 'password');
  const target = join(unfinished, 'data');
  await writeFile(passwordFile, password, { mode: 0o600 });
  await giveTo(identity.owner, unfinished);
  const flags = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-sync', '--no-instructions'];
  const [file = '', ...args] = [...identity.prefix, 'initdb', '-D', target, ...flags];
  try {
    await promisify(execFile)(file, args, identity.spawn);
    await rename(target, data);
  } catch (error) {
    // Another launcher may have been quicker.
    if (!existsSync(join(data, 'PG_VERSION'))) {
      throw new Error(`initdb failed: ${((error as { stderr?: string }).stderr ?? '').trim() || String(error)}`, { cause: error });
    }
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

async function majorVersion(identity: Identity): Promise<string> {
  const [file = '', ...args] = [...identity.prefix, 'postgres', '--version'];
  const { stdout } = await promisify(execFile)(file, args, identity.spawn);
  return /\d+/.exec(stdout)?.[0] ?? '';
}

/** Opens the folder, which `prepareFolder` has seen; makes the database the first time. */
export async function openDataDirectory(identity: Identity, folder: string): Promise<DataDirectory> {
  const data = join(folder, 'data');
  const portFile = join(folder, 'port');
  const password = await readPassword(join(folder, 'password'));
  if (!existsSync(data)) await initialise(identity, folder, data, password);
  const version = (await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => '')).trim();
  const expected = await majorVersion(identity);
  if (version !== expected) {
    throw new UserError(`${data} was made by PostgreSQL ${version || '(unknown)'} and these binaries are ${expected}: move it away or choose another folder with --data-dir.`);
  }
  const { uid } = await stat(data);
  if (identity.owner !== undefined && uid !== identity.owner) {
    if (process.getuid?.() !== 0) throw new UserError(`${data} belongs to another user (uid ${uid}): run as that user, or choose another folder with --data-dir.`);
    await giveTo(identity.owner, data);
  }
  if (process.platform !== 'win32') await chmod(data, 0o700);
  const lastPort = Number(await readFile(portFile, 'utf8').catch(() => '')) || undefined;
  return { data, password, lastPort, rememberPort: (port) => writeFile(portFile, String(port)) };
}
