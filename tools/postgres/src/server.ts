import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { silentLogger, sleep, type Logger } from '@talaria/base';
import pg from 'pg';
import { findBinaries } from './binaries.ts';
import { openDataDirectory, prepareFolder, type DataDirectory } from './data-directory.ts';
import { chooseIdentity, type Identity } from './identity.ts';
import { hasStaleLock, isRunning, readLockFile } from './lock-file.ts';
import { UserError } from './user-error.ts';

/** Which server to start. */
export interface PostgresOptions {
  /** A folder for this server alone; made if it is missing. */
  readonly dataDir: string;
  /** On 127.0.0.1. Default 0: the one used last if it is free, else any free one. */
  readonly port?: number | undefined;
  /** Default: silent. */
  readonly log?: Logger;
  /** Settings of PostgreSQL, such as `{ fsync: 'off' }` for tests. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A server that runs. */
export interface PostgresServer {
  /** With user and password, without a database: `postgres://postgres:…@127.0.0.1:5432`. */
  readonly url: string;
  readonly port: number;
  /** Of PostgreSQL's first process. */
  readonly pid: number;
  /** Whether it ran already. */
  readonly adopted: boolean;
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Ends all sessions and the server, and waits for it. */
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
/** Recovery after a crash can take a while. */
const READY_WITHIN_MS = 60_000;
/** After a crash the old lock stands until the last of the old processes has noticed. */
const LOCK_WITHIN_MS = 15_000;
/** A fast shutdown that takes longer is followed by an immediate one, which loses nothing but needs recovery. */
const STOP_WITHIN_MS = 6_000;

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: HOST,
  unix_socket_directories: '',
  // Six services and a broker, each with a pool, and the tests of all of them.
  max_connections: '300',
  // No extra processes for reading: a development machine gains nothing by them.
  io_method: 'sync',
  log_min_messages: 'warning',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, HOST);
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** Below those that systems give to outgoing connections: one of these could take it while the server restarts, even one to that very port. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_768);
    if (await isFree(port)) return port;
  }
}

const urlOf = ({ password }: DataDirectory, port: number): string => `postgres://postgres:${password}@${HOST}:${port}`;

/** Whether it answers, and works on `data`. */
async function answers(directory: DataDirectory, port: number): Promise<boolean> {
  const client = new pg.Client({ connectionString: `${urlOf(directory, port)}/postgres`, connectionTimeoutMillis: 2000 });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ data: string }>("select 1, current_setting('data_directory') as data");
    return rows[0]?.data === directory.data;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

async function waitUntilReady(directory: DataDirectory, port: number, isOver: () => boolean): Promise<boolean> {
  const until = performance.now() + READY_WITHIN_MS;
  while (!isOver() && performance.now() < until) {
    if (await answers(directory, port)) return true;
    await sleep(20);
  }
  return false;
}

async function waitForEnd(pid: number, ms: number): Promise<boolean> {
  for (const until = performance.now() + ms; performance.now() < until; await sleep(25)) {
    if (!(await isRunning(pid))) return true;
  }
  return false;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended meanwhile.
  }
}

/** SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one. */
async function shutDown(pid: number): Promise<void> {
  for (const [name, ms] of [['SIGINT', STOP_WITHIN_MS], ['SIGQUIT', 2000], ['SIGKILL', 2000]] as const) {
    signal(pid, name);
    if (await waitForEnd(pid, ms)) return;
  }
}

async function endOf(pid: number): Promise<void> {
  while (await isRunning(pid)) await sleep(200);
}

interface Launch {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  readonly output: () => string;
}

function launch(identity: Identity, data: string, port: number, settings: Readonly<Record<string, string>>, log: Logger): Launch {
  const flags = Object.entries({ ...SETTINGS, ...settings, port: String(port) }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const [file = '', ...args] = [...identity.prefix, 'postgres', '-D', data, ...flags];
  // Detached: a Ctrl-C for everyone must not end it before the services that still write to it.
  const child = spawn(file, args, { ...identity.spawn, stdio: ['ignore', 'ignore', 'pipe'], detached: process.platform !== 'win32', windowsHide: true });
  let output = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-4000);
    for (const line of text.split('\n')) if (line.trim() !== '') log.debug(line.trim());
  });
  const ended = new Promise<void>((done) => {
    child.once('exit', () => done());
    child.once('error', (error) => {
      output += String(error);
      done();
    });
  });
  // Whoever leaves without stop() (an uncaught error, a stop that came too early) leaves no server behind.
  const onExit = (): void => {
    if (child.pid !== undefined) signal(child.pid, 'SIGINT');
  };
  process.on('exit', onExit);
  void ended.then(() => process.off('exit', onExit));
  return { child, ended, output: () => output };
}

/**
 * Starts PostgreSQL on `dataDir`, or adopts the server that runs on it already. Rejects with one sentence that names the fix
 * when the port is taken or the folder holds something else.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const { log = silentLogger, settings = {} } = options;
  const folder = resolve(options.dataDir);
  await prepareFolder(folder);
  const identity = await chooseIdentity(await findBinaries(folder), folder);
  const directory = await openDataDirectory(identity, folder);
  const adopted = await adopt(directory, options.port ?? 0, log);
  if (adopted) return adopted;

  const until = performance.now() + LOCK_WITHIN_MS;
  for (;;) {
    const port = await choosePort(directory, options.port ?? 0);
    if (await hasStaleLock(directory.data)) await rm(join(directory.data, 'postmaster.pid'), { force: true });
    const { child, ended, output } = launch(identity, directory.data, port, settings, log);
    let over = false;
    void ended.then(() => (over = true));
    if (await waitUntilReady(directory, port, () => over)) {
      await directory.rememberPort(port);
      return running(directory, port, child, ended);
    }
    if (!over) {
      await shutDown(child.pid ?? 0);
      throw new Error(`PostgreSQL did not become ready within ${READY_WITHIN_MS / 1000} s:\n${output()}`);
    }
    if (/could not bind/.test(output()) && options.port) throw portTaken(options.port);
    const locked = /lock file|shared memory block|could not bind/.test(output());
    if (!locked || performance.now() > until) throw new Error(`PostgreSQL did not start:\n${output()}`);
    await sleep(100);
  }
}

function portTaken(port: number): UserError {
  return new UserError(`Port ${port} on ${HOST} is taken: choose another with --port, or 0 for any free one.`);
}

async function choosePort(directory: DataDirectory, wanted: number): Promise<number> {
  if (wanted !== 0) {
    if (await isFree(wanted)) return wanted;
    throw portTaken(wanted);
  }
  const { lastPort } = directory;
  return lastPort !== undefined && (await isFree(lastPort)) ? lastPort : freePort();
}

/** A launcher that was killed leaves its server behind. */
async function adopt(directory: DataDirectory, wanted: number, log: Logger): Promise<PostgresServer | undefined> {
  const found = await readLockFile(directory.data);
  if (!found) return undefined;
  let over = false;
  const ended = endOf(found.pid).then(() => void (over = true));
  if ((wanted === 0 || wanted === found.port) && (await waitUntilReady(directory, found.port, () => over))) {
    log.info('adopted the server that runs already', { pid: found.pid, port: found.port });
    await directory.rememberPort(found.port);
    return { url: urlOf(directory, found.port), port: found.port, pid: found.pid, adopted: true, ended, stop: () => shutDown(found.pid) };
  }
  await shutDown(found.pid);
  return undefined;
}

function running(directory: DataDirectory, port: number, child: ChildProcess, ended: Promise<void>): PostgresServer {
  const pid = child.pid ?? 0;
  return {
    url: urlOf(directory, port),
    port,
    pid,
    adopted: false,
    ended,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) await shutDown(pid);
      await ended;
    },
  };
}
