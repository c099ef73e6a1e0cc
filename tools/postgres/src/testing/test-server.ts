import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, type Host } from '@talaria/base';
import { startPostgres, type PostgresServer } from '../server.ts';
import pg from 'pg';

/** A server for tests: the one of `TEST_DATABASE_URL`, else the embedded one. */
export interface TestServer {
  /** Names no database. */
  readonly url: string;
  /** A host whose service has a name, and so a database, of its own; the databases are removed at the end. */
  host(service?: string): Host;
  /** The URL of an empty database. */
  database(): Promise<string>;
  /** Asks as somebody else would. */
  query<Row extends pg.QueryResultRow>(statement: string, values?: unknown[]): Promise<Row[]>;
  stop(): Promise<void>;
}

/** A server that a test may kill. */
export interface Victim {
  /** The one that runs, or ran last. */
  server(): PostgresServer;
  /** kill -9 */
  crash(): Promise<void>;
  /** On the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server that a test may kill. */
export async function startVictim(): Promise<Victim> {
  const folder = await mkdtemp(join(tmpdir(), 'talaria-test-'));
  let server = await startPostgres({ dataDir: folder });
  return {
    server: () => server,
    async crash() {
      process.kill(server.pid, 'SIGKILL');
      await server.ended;
    },
    async restart() {
      server = await startPostgres({ dataDir: folder, port: server.port });
    },
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Starts it. */
export async function testServer(): Promise<TestServer> {
  const given = process.env['TEST_DATABASE_URL'];
  const folder = given ? undefined : await mkdtemp(join(tmpdir(), 'talaria-test-'));
  const embedded = folder === undefined ? undefined : await startPostgres({ dataDir: folder, settings: { fsync: 'off' } });
  const url = embedded?.url ?? given ?? '';
  let made = 0;
  const newName = (): string => `test_${run}_${made++}`;
  const run = Math.random().toString(36).slice(2, 8);

  async function query<Row extends pg.QueryResultRow>(statement: string, values: unknown[] = []): Promise<Row[]> {
    const maintenance = new URL(url);
    maintenance.pathname = '/postgres';
    const client = new pg.Client({ connectionString: maintenance.href });
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query<Row>(statement, values)).rows;
    } finally {
      await client.end();
    }
  }

  // A server that was given and is not there fails here, and not as a wait without end.
  await query('select 1');
  return {
    url,
    query,
    host(service = 'service.test') {
      const own = new URL(url);
      own.pathname = '';
      return { service: `${newName()}.${service}`, instance: `instance-${made}`, log: silentLogger, env: { DATABASE_URL: own.href } };
    },
    async database() {
      const name = newName();
      await query(`create database ${pg.escapeIdentifier(name)}`);
      const own = new URL(url);
      own.pathname = `/${name}`;
      return own.href;
    },
    async stop() {
      if (given) {
        const rows = await query<{ datname: string }>(`select datname from pg_database where datname like 'test\\_${run}\\_%'`);
        for (const { datname } of rows) await query(`drop database ${pg.escapeIdentifier(datname)} with (force)`);
      }
      await embedded?.stop();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Resolves when `condition` answers something other than undefined and false. */
export async function eventually<T>(condition: () => Promise<T | undefined | false> | T | undefined | false, what: string, withinMs = 60_000): Promise<T> {
  const until = performance.now() + withinMs;
  for (;;) {
    const found = await condition();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > until) throw new Error(`This did not happen within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
