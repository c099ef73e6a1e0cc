import { sleep, type Logger } from '@talaria/base';
import pg from 'pg';
import { hasSqlState, isTransient, isUniqueViolation } from './database-error.ts';
import { sibling, type DatabaseUrl } from './database-url.ts';

const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 1000;
const SAY_AGAIN_MS = 10_000;
const CONNECT_MS = 5000;

async function withClient<T>(url: string, fn: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS });
  client.on('error', () => {});
  try {
    await client.connect();
    return await fn(client);
  } finally {
    await client.end().catch(() => {});
  }
}

async function create({ url, database }: DatabaseUrl): Promise<void> {
  const statement = `create database ${pg.escapeIdentifier(database)}`;
  const ask = (maintenance: string): Promise<unknown> => withClient(sibling(url, maintenance), (client) => client.query(statement));
  try {
    await ask('postgres').catch((error: unknown) => (hasSqlState(error, '3D000') ? ask('template1') : Promise.reject(error as Error)));
  } catch (error) {
    // Another instance was quicker.
    if (!hasSqlState(error, '42P04') && !isUniqueViolation(error)) throw error;
  }
}

/** Connects once, and makes the database if that is allowed and needed. */
async function attempt(target: DatabaseUrl): Promise<void> {
  const ask = (): Promise<unknown> => withClient(target.url, (client) => client.query('select 1'));
  try {
    await ask();
  } catch (error) {
    if (!target.create || !hasSqlState(error, '3D000')) throw error;
    await create(target);
    await ask();
  }
}

function explain(setting: string, target: DatabaseUrl, error: unknown): Error {
  const { host, username } = new URL(target.url);
  const at = `(${setting}: ${username || 'the default user'} at ${host}, database ${target.database})`;
  if (hasSqlState(error, '28P01') || hasSqlState(error, '28000')) return new Error(`PostgreSQL does not accept user or password ${at}: correct them in ${setting}.`, { cause: error });
  if (hasSqlState(error, '3D000')) return new Error(`PostgreSQL has no such database ${at}: create it, or leave the name out of ${setting} to have one made.`, { cause: error });
  if (hasSqlState(error, '42501')) return new Error(`PostgreSQL does not let this user make a database ${at}: grant it CREATEDB, or create the database and name it in ${setting}.`, { cause: error });
  return new Error(`PostgreSQL cannot be used ${at}: ${(error as Error).message}; correct ${setting}.`, { cause: error });
}

/** Resolves when the database answers. A server may come up, or recover, later than its clients; wrong settings are told at once. */
export async function waitForDatabase(setting: string, target: DatabaseUrl, log: Logger, signal: AbortSignal): Promise<void> {
  let silentUntil = performance.now() + 500;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    signal.throwIfAborted();
    try {
      await attempt(target);
      return;
    } catch (error) {
      if (!isTransient(error)) throw explain(setting, target, error);
      if (performance.now() >= silentUntil) {
        silentUntil = performance.now() + SAY_AGAIN_MS;
        log.warn(`waiting for PostgreSQL at ${new URL(target.url).host}`, { reason: (error as Error).message || (error as { code?: string }).code });
      }
    }
    await sleep(pause, { signal });
  }
}
