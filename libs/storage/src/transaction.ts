import { context as otel } from '@opentelemetry/api';
import { sleep, type Leadership } from '@talaria/base';
import { currentCall, currentFences } from '@talaria/context';
import { internal } from '@talaria/errors';
import { type Pool, type PoolClient, type QueryResult } from 'pg';
import { refuseIfOver } from './call-end.ts';
import { acquire, discard, release, rollBack, runQuery } from './connection.ts';
import { isContention, isTransient } from './database-error.ts';
import { refuseIfFenced, type Fences } from './fence.ts';

/** A transaction that is open in the current call context. */
export interface OpenTransaction {
  query(text: string, values: readonly unknown[]): Promise<QueryResult<Record<string, unknown>>>;
  afterCommit(hook: () => void): void;
}

interface State extends OpenTransaction {
  /** Resolves when no query waits or runs. */
  idle(): Promise<unknown>;
  close(): void;
  /** The leaderships that it has written under. */
  readonly guarded: ReadonlySet<Leadership>;
  readonly hooks: readonly (() => void)[];
  failed: { readonly error: unknown } | undefined;
}

/** Opens transactions of one pool, and finds the open one. */
export interface Transactions {
  /** The open transaction of the current call context. */
  current(): OpenTransaction | undefined;
  run<T>(fn: () => Promise<T>): Promise<T>;
}

/** Deadlocks dissolve at the first repeat nearly always; hot rows under `serializable` need a few more. */
const MAX_ATTEMPTS = 5;
const RETRY_MS = 10;

function openOn(client: PoolClient, fences: Fences): State {
  let tail: Promise<unknown> = Promise.resolve();
  let closed = false;
  const hooks: (() => void)[] = [];
  const guarded = new Set<Leadership>();
  /** Before each query, since a transaction may be joined by a leader. */
  const guard = async (): Promise<void> => {
    try {
      refuseIfFenced();
      for (const leadership of currentFences()) {
        if (guarded.has(leadership)) continue;
        await fences.guard(client, leadership);
        guarded.add(leadership);
      }
    } catch (error) {
      // Whoever swallows it must not commit the rest.
      state.failed ??= { error };
      throw error;
    }
  };
  const state: State = {
    query(text, values) {
      const run = async (): Promise<QueryResult<Record<string, unknown>>> => {
        if (closed) throw internal('transaction_over', 'A query came after the end of its transaction: await every query inside, or run it in detached().');
        await guard();
        try {
          return await runQuery(client, text, values);
        } catch (error) {
          // Whatever else went wrong, such as a connection that the next leader has ended.
          refuseIfFenced(currentFences(), error);
          throw error;
        }
      };
      // One after another: a connection does one thing at a time, also for Promise.all().
      const result = tail.then(run, run);
      tail = result.catch(() => {});
      return result;
    },
    afterCommit: (hook) => void hooks.push(hook),
    idle: () => tail,
    close: () => void (closed = true),
    guarded,
    hooks,
    failed: undefined,
  };
  return state;
}

/** A connection on which a transaction has begun. Repeated once: the pool may hold connections to a server that restarted. */
async function begin(pool: Pool): Promise<PoolClient> {
  for (let attempt = 1; ; attempt++) {
    const client = await acquire(pool);
    try {
      await runQuery(client, 'begin');
      return client;
    } catch (error) {
      discard(client);
      release(client);
      if (attempt > pool.options.max || !isTransient(error)) throw error;
    }
  }
}

/** Transactions on the pool that `pool` answers. What a leader does in them is fenced. */
export function transactions(pool: () => Pool, fences: Fences): Transactions {
  // Not createContextKey(), which answers the same symbol for the same words: each database has transactions of its own.
  const key = Symbol('talaria.storage.transaction');
  const current = (): State | undefined => otel.active().getValue(key) as State | undefined;

  async function join<T>(open: State, fn: () => Promise<T>): Promise<T> {
    try {
      return await fn();
    } catch (error) {
      // Half of its work is done: whoever swallows the error must not commit that.
      open.failed ??= { error };
      throw error;
    }
  }

  async function once<T>(fn: () => Promise<T>): Promise<T> {
    const client = await begin(pool());
    const open = openOn(client, fences);
    let result: T;
    try {
      result = await otel.with(otel.active().setValue(key, open), fn);
      await open.idle();
      open.close();
      if (open.failed) throw open.failed.error;
      refuseIfFenced(open.guarded);
      refuseIfOver(currentCall());
      const { command } = await runQuery(client, 'commit', [], 'finish');
      // PostgreSQL answers a commit after a failed query with a rollback.
      if (command !== 'COMMIT') throw internal('transaction_aborted', 'A query of this transaction failed and its error was swallowed: let it pass, or ask in a way that does not fail (on conflict do nothing).');
    } catch (error) {
      open.close();
      await open.idle();
      await rollBack(client);
      throw error;
    } finally {
      release(client);
    }
    for (const hook of open.hooks) hook();
    return result;
  }

  return {
    current,
    async run(fn) {
      const open = current();
      if (open) return join(open, fn);
      for (let attempt = 1; ; attempt++) {
        try {
          return await once(fn);
        } catch (error) {
          if (!isContention(error) || attempt === MAX_ATTEMPTS) throw error;
          refuseIfOver(currentCall());
          await sleep(RETRY_MS * 2 ** attempt * Math.random());
        }
      }
    },
  };
}
