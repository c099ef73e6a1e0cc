import { PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, type CompiledQuery, type DatabaseConnection, type Dialect, type Driver, type QueryResult } from 'kysely';
import { currentFences } from '@talaria/context';
import { type Pool, type PoolClient, type QueryResult as PgResult } from 'pg';
import { acquire, release, runQuery } from './connection.ts';
import { type OpenTransaction, type Transactions } from './transaction.ts';

interface Connection extends DatabaseConnection {
  /** None for one that belongs to an open transaction. */
  readonly client?: PoolClient;
}

const COUNTED = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

function connectionOf(query: (text: string, values: readonly unknown[]) => Promise<PgResult<Record<string, unknown>>>, client?: PoolClient): Connection {
  return {
    ...(client ? { client } : {}),
    async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
      const { command, rowCount, rows } = await query(sql, parameters);
      return { rows: (rows ?? []) as R[], ...(COUNTED.has(command) ? { numAffectedRows: BigInt(rowCount ?? 0) } : {}) };
    },
    async *streamQuery(): AsyncGenerator<never> {
      throw new Error('Streaming would hold a connection for as long as the reader likes: read pages, by key and with a limit.');
    },
  };
}

function refuse(): never {
  throw new Error("Kysely's own transactions are not seen by others in the same call: use transaction() of the storage.");
}

/** A dialect whose queries run in the open transaction of the current call context, else on the pool. */
export function dialect(pool: () => Pool, transactions: Transactions): Dialect {
  const driver: Driver = {
    init: async () => {},
    async acquireConnection() {
      const open = transactions.current();
      if (open) return connectionOf((text, values) => open.query(text, values));
      // What a leader writes is guarded in the transaction that writes it.
      if (currentFences().length > 0) return connectionOf((text, values) => transactions.run(() => (transactions.current() as OpenTransaction).query(text, values)));
      const client = await acquire(pool());
      return connectionOf((text, values) => runQuery(client, text, values), client);
    },
    async releaseConnection(connection: Connection) {
      if (connection.client) release(connection.client);
    },
    beginTransaction: async () => refuse(),
    commitTransaction: async () => refuse(),
    rollbackTransaction: async () => refuse(),
    destroy: async () => {},
  };
  return {
    createDriver: () => driver,
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}
