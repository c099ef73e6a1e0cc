import { type Postgres } from '@talaria/storage';
import { type Tables } from './tables.ts';

/** Somebody who may ask for tokens. */
export interface ClientRecord {
  readonly id: string;
  readonly secretHash: string;
  /** On whose behalf its tokens are. */
  readonly principalId: string;
  /** All that it may do. */
  readonly scopes: readonly string[];
}

/** Clients by id. */
export interface ClientStorage {
  find(id: string): Promise<ClientRecord | undefined>;
}

/** Keeps clients in PostgreSQL. */
export function clientStorage(postgres: Postgres<Tables>): ClientStorage {
  return {
    async find(id) {
      // PostgreSQL's text holds no NUL, and says so with an error.
      if (id.includes('\0')) return undefined;
      const row = await postgres.db.selectFrom('clients').selectAll().where('id', '=', id).executeTakeFirst();
      return row && { id: row.id, secretHash: row.secret_hash, principalId: row.principal_id, scopes: row.scopes };
    },
  };
}
