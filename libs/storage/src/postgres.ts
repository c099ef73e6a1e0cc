import { silentLogger, type Capability, type Checker, type Host, type Logger } from '@talaria/base';
import { detached, runInCall } from '@talaria/context';
import { Kysely, sql } from 'kysely';
import pg from 'pg';
import { destroy } from './connection.ts';
import { databaseUrl } from './database-url.ts';
import { dialect } from './dialect.ts';
import { createFences } from './fence.ts';
import { startListener } from './listener.ts';
import { migrate, type Migrations } from './migrations.ts';
import { transactions } from './transaction.ts';
import { untilReachable } from './until-reachable.ts';
import { waitForDatabase } from './wait-for-database.ts';

/** How storage on PostgreSQL is made. */
export interface PostgresOptions {
  /** Run at the start, before anything else. */
  readonly migrations?: Migrations;
  /** The database to make and use on a server for which the setting names none. Default: named after the service. */
  readonly database?: string;
  /** The settings that say where it is; the first that is set counts. Default `['DATABASE_URL']`. */
  readonly settings?: readonly string[];
  readonly pool?: {
    /** Connections at most, default 10. They are opened when they are needed and closed when idle. */
    readonly max?: number;
  };
}

/** Storage on PostgreSQL, bound to the call context. */
export interface Postgres<Tables> extends Capability {
  /**
   * Queries. They run in the open transaction of the current call context, else each by itself; and they end with their
   * call: when it hangs up or its deadline passes, they are cancelled on the server (`cancelled.database`,
   * `timeout.database`). Without a server they fail with `unavailable.database`. In a leader's context (`runFenced`, `service.leader`,
   * `service.every`) each is guarded in its own database transaction: once a later leader has written, or the leadership is over by its
   * own clock, they fail with `conflict.fenced`.
   */
  readonly db: Kysely<Tables>;
  /** Whether a transaction is open in the current call context. */
  readonly inTransaction: boolean;
  /**
   * Runs `fn` in the open transaction of the current call context, or in a new one: committed when `fn` resolves, rolled back
   * when it rejects. After a deadlock or a serialization failure `fn` runs again, so it must do nothing that cannot be repeated.
   */
  transaction<T>(fn: () => Promise<T>): Promise<T>;
  /** Calls `hook` once the open transaction is committed, and never if it is not. */
  afterCommit(hook: () => void): void;
  /**
   * Calls `listener` when somebody notifies the channel (`pg_notify`), and whenever some notification may have been missed: then without a
   * payload. On a connection of its own, from `start` on. The answer stops it.
   */
  listen(channel: string, listener: (payload: string | undefined) => void): () => Promise<void>;
  /** Runs migrations of others than the service itself, such as a library's tables. `scope` keeps their names apart. */
  migrate(scope: string, migrations: Migrations): Promise<void>;
}

const DEFAULT_MAX = 10;
/** For a connection, free or new, in ms; calls mostly have an earlier deadline. */
const WAIT_MS = 10_000;
/** A service gives its storage one second to stop. */
const STOP_MS = 500;
const INT8 = 20;

/** int8 as bigint: a number would lose digits, and `pg` answers a string. */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => (oid === INT8 && format !== 'binary' ? BigInt : pg.types.getTypeParser(oid, format)),
} as pg.CustomTypesConfig;

/** Storage on PostgreSQL; connects when it is started. */
export function postgres<Tables>(options: PostgresOptions = {}): Postgres<Tables> {
  const max = options.pool?.max ?? DEFAULT_MAX;
  const settings = options.settings ?? ['DATABASE_URL'];
  const inUse = new Set<pg.PoolClient>();
  let pool: pg.Pool | undefined;
  const thePool = (): pg.Pool => {
    if (!pool) throw new Error('The storage has not been started, or is stopped: pass it to createService, or await start() before the first query.');
    return pool;
  };
  let log: Logger = silentLogger;
  let url: string | undefined;
  const unit = transactions(thePool, createFences({ pool: thePool, log: () => log }));
  const db = new Kysely<Tables>({ dialect: dialect(thePool, unit) });

  function open(url: string, applicationName: string): pg.Pool {
    const opened = new pg.Pool({ connectionString: url, max, connectionTimeoutMillis: WAIT_MS, keepAlive: true, application_name: applicationName, types });
    // A broken idle connection has left the pool already. One in use tells its query, and would end the process without a listener.
    opened.on('error', () => {});
    opened.on('connect', (client) => void client.on('error', () => {}));
    opened.on('acquire', (client) => void inUse.add(client));
    opened.on('release', (_error, client) => void inUse.delete(client));
    opened.on('remove', (client) => void inUse.delete(client as pg.PoolClient));
    return opened;
  }

  const checker: Checker = {
    name: 'postgres',
    async check(signal) {
      await runInCall({ signal }, () => sql`select 1`.execute(db));
      const { totalCount, idleCount, waitingCount } = thePool();
      return { connections: totalCount, idle: idleCount, waiting: waitingCount, max };
    },
  };

  return {
    name: 'storage',
    checkers: [checker],
    db,
    get inTransaction() {
      return unit.current() !== undefined;
    },
    start: (host: Host, signal: AbortSignal) =>
      detached(async () => {
        const setting = settings.find((name) => host.env[name]) ?? settings.at(-1) ?? '';
        const target = databaseUrl(setting, host.env[setting], options.database ?? host.service);
        await waitForDatabase(setting, target, host.log, signal);
        ({ log } = host);
        ({ url } = target);
        pool = open(url, host.instance);
        const { migrations } = options;
        if (migrations) await untilReachable(() => migrate(db as Kysely<unknown>, unit, host.service, migrations), signal);
      }),
    async stop() {
      const stopping = pool;
      pool = undefined;
      if (!stopping) return;
      const limit = setTimeout(() => inUse.forEach(destroy), STOP_MS);
      await stopping.end();
      clearTimeout(limit);
    },
    transaction: (fn) => unit.run(fn),
    afterCommit(hook) {
      const current = unit.current();
      if (!current) throw new Error('afterCommit() needs an open transaction: call it inside transaction().');
      current.afterCommit(hook);
    },
    listen(channel, onNotification) {
      if (url === undefined) throw new Error('listen() needs a storage that was started.');
      return startListener({ url, channel, log, onNotification }).stop;
    },
    migrate: (scope, migrations) => migrate(db as Kysely<unknown>, unit, scope, migrations),
  };
}
