import { currentCall, currentFences, detached, runInCall } from '@talaria/context';
import { conflict, type ServiceError } from '@talaria/errors';
import type { Leadership, Logger } from '@talaria/base';
import pg, { type Pool, type PoolClient } from 'pg';
import { onEnd } from './call-end.ts';
import { backendOf, runQuery } from './connection.ts';
import { hasSqlState, toCallerError } from './database-error.ts';
import { createTables } from './migrations.ts';

/** Refuses what leaders write that were overtaken. */
export interface Fences {
  /**
   * Makes sure, within the transaction that is open on the connection, that no later leader has written; and none can before the
   * transaction ends. Throws `conflict.fenced` otherwise.
   */
  guard(client: PoolClient, leadership: Leadership): Promise<void>;
}

const UNDEFINED_TABLE = '42P01';
/** How long an overtaken leader's transaction may take to end by itself, in ms; its process may be frozen. */
const BREAK_AFTER_MS = 1_000;

/** What is thrown for a late token. */
export function fenced({ name, token }: Leadership, cause?: unknown): ServiceError {
  const message = `Another instance has taken over ${name}, or may have: what this one still wanted to write was refused. Let the run end.`;
  return conflict('fenced', message, { params: { name, token: String(token) }, ...(cause === undefined ? {} : { cause }) });
}

/** Throws if the leadership that the running code writes under is over, by its clock. A process that was frozen finds out here, before anything is sent. */
export function refuseIfFenced(fences: Iterable<Leadership> = currentFences(), cause?: unknown): void {
  for (const leadership of fences) if (!leadership.isHeld()) throw fenced(leadership, cause);
}

/** As the database would ask for a repeat: the transaction runs again, and raises the fence anew. */
const gone = (): Error => Object.assign(new Error('A fence went down: the database was restored, or somebody changed talaria_fences.'), { code: '40001' });

/**
 * One row a fence in `talaria_fences`, with the highest token that was seen. A leader raises it to its token once, in a
 * transaction of its own; from then on each of its transactions holds a shared lock on the row, which lets its others pass and
 * keeps the next leader from raising it until they have ended. So either they commit before the next leader's first
 * write, or they are refused, whatever clocks say.
 */
export function createFences({ pool, log }: { readonly pool: () => Pool; readonly log: () => Logger }): Fences {
  const raised = new WeakMap<Leadership, Promise<void>>();

  const refuse = (leadership: Leadership, seen: bigint): never => {
    leadership.refused(seen);
    throw fenced(leadership);
  };

  /** The highest token that was seen; -1 for none. */
  const tokenIn = async (client: PoolClient, name: string, lock: '' | 'for share' = ''): Promise<bigint> => {
    const { rows } = await runQuery(client, `select token from talaria_fences where name = $1 ${lock}`, [name]);
    return BigInt(String(rows[0]?.['token'] ?? -1));
  };

  const put = async (client: PoolClient, { name, token }: Leadership): Promise<bigint> => {
    // First without a lock: its other transactions may hold one, through another storage on this database, and who comes late keeps nobody waiting.
    const before = await tokenIn(client, name);
    if (before >= token) return before;
    const { rows } = await runQuery(
      client,
      'insert into talaria_fences (name, token) values ($1, $2) on conflict (name) do update set token = excluded.token where talaria_fences.token < excluded.token returning token',
      [name, String(token)],
    );
    return rows.length > 0 ? token : tokenIn(client, name);
  };

  const raiseTo = async (leadership: Leadership): Promise<void> => {
    // A connection of its own: those of the pool may all wait for this.
    const client = await connect(pool());
    const stopBreaking = breakBlockers(pool(), client, leadership, log());
    try {
      const seen = await put(client, leadership).catch(async (error: unknown) => {
        if (!hasSqlState(error, UNDEFINED_TABLE)) throw error;
        await createTables(() => runQuery(client, 'create table if not exists talaria_fences (name text primary key, token numeric not null)'));
        return put(client, leadership);
      });
      if (seen > leadership.token) refuse(leadership, seen);
    } finally {
      stopBreaking();
      await client.end().catch(() => {});
    }
  };

  /** The same, which stays so until the transaction ends. */
  const look = async (client: PoolClient, { name }: Leadership): Promise<bigint> => {
    try {
      return await tokenIn(client, name, 'for share');
    } catch (error) {
      if (hasSqlState(error, UNDEFINED_TABLE)) return -1n;
      throw error;
    }
  };

  /** For all of the leader's transactions, so outside of the call that happens to be first. */
  const raise = (leadership: Leadership): Promise<void> => {
    const known = raised.get(leadership);
    if (known) return known;
    const raising = detached(() => runInCall({ signal: leadership.lost }, () => raiseTo(leadership)));
    raised.set(leadership, raising);
    // What failed is tried again by the next transaction.
    raising.catch(() => raised.delete(leadership));
    return raising;
  };

  return {
    async guard(client, leadership) {
      refuseIfFenced([leadership]);
      await orCallEnd(raise(leadership));
      const seen = await look(client, leadership);
      if (seen === leadership.token) return;
      if (seen > leadership.token) refuse(leadership, seen);
      raised.delete(leadership);
      throw gone();
    },
  };
}

/** One that is not in the pool; to be ended. */
type Connected = PoolClient & Pick<pg.Client, 'end'>;

async function connect({ options }: Pool): Promise<Connected> {
  const client = new pg.Client(options);
  client.on('error', () => {});
  await client.connect().catch((error: unknown) => {
    throw toCallerError(error);
  });
  return client as unknown as Connected;
}

/** Settles as `work` does, unless the current call ends first. */
function orCallEnd(work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = onEnd(currentCall(), reject);
    work.then(resolve, reject).finally(stop);
  });
}

/**
 * Ends the sessions that keep `client` from raising its fence: those of a leader that was overtaken, frozen with a transaction
 * open. Its transaction is rolled back, and nobody need wait until it wakes.
 */
function breakBlockers(pool: Pool, client: PoolClient, leadership: Leadership, log: Logger): () => void {
  const look = async (): Promise<void> => {
    if (!leadership.isHeld()) return;
    let other: Connected | undefined;
    try {
      other = await connect(pool);
      const { rowCount } = await other.query('select pg_terminate_backend(pid) from unnest(pg_blocking_pids($1)) pid', [backendOf(client)]);
      if (rowCount) log.warn(`ended ${rowCount} database sessions of an instance that was overtaken as leader of ${leadership.name}`);
    } catch (error) {
      log.warn(`the database sessions of an instance that was overtaken as leader of ${leadership.name} could not be ended, waiting for them`, { reason: (error as Error).message });
    } finally {
      await other?.end().catch(() => {});
    }
  };
  const timer = setInterval(() => void look(), BREAK_AFTER_MS);
  return () => clearInterval(timer);
}
