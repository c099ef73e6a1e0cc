import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { childEnvironment, temporaryFolder } from './workspace.ts';

/** A database that is one test's own. */
export interface TestDatabase {
  /** As DATABASE_URL. */
  readonly url: string;
  /** Drops it; the last one stops the server. */
  close(): Promise<void>;
}

interface Server {
  /** Without a database. */
  readonly url: string;
  stop(): Promise<void>;
}

const READY_MS = 60_000;

/** The server of TEST_DATABASE_URL, or the embedded one. */
async function startServer(): Promise<Server> {
  const given = process.env['TEST_DATABASE_URL'];
  if (given) return { url: given, stop: () => Promise.resolve() };
  const dataDir = await temporaryFolder();
  const program = fileURLToPath(import.meta.resolve('@talaria/postgres/main'));
  const child = spawn(process.execPath, [program, '--data-dir', dataDir], {
    env: childEnvironment({}),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const url = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer within ${READY_MS} ms`)), READY_MS);
      child.once('message', (message) => {
        clearTimeout(timer);
        resolve((message as { url: string }).url);
      });
      child.once('error', reject);
      void exited.then(() => {
        clearTimeout(timer);
        reject(new Error('it ended'));
      });
    });
    return { url, stop };
  } catch (error) {
    await stop();
    throw new Error(`No PostgreSQL for tests: set TEST_DATABASE_URL to a server, or mend what keeps the embedded one from starting (${(error as Error).message}):\n${output}`);
  }
}

let shared: { readonly server: Promise<Server>; users: number } | undefined;

async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** Makes a database of one's own, in a server that all tests of the process share. */
export async function testDatabase(): Promise<TestDatabase> {
  shared ??= { server: startServer(), users: 0 };
  const own = shared;
  own.users++;
  const release = async (server?: Server): Promise<void> => {
    own.users--;
    if (own.users > 0) return;
    if (shared === own) shared = undefined;
    await server?.stop();
  };
  let server: Server | undefined;
  try {
    server = await own.server;
    const name = `test_${randomBytes(8).toString('hex')}`;
    const at = (database: string): string => Object.assign(new URL(server?.url ?? ''), { pathname: `/${database}` }).href;
    await execute(at('postgres'), `create database ${name}`);
    return {
      url: at(name),
      async close() {
        try {
          await execute(at('postgres'), `drop database if exists ${name} with (force)`);
        } finally {
          await release(server);
        }
      },
    };
  } catch (error) {
    await release(server);
    throw error;
  }
}
