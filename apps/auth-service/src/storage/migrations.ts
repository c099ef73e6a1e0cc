import { sql, type Kysely, type Migrations } from '@talaria/storage';

/** In order; each expands only, so that old and new instances run side by side. */
export const migrations: Migrations = {
  '001_keys_and_clients': {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('signing_keys')
        .addColumn('kid', 'text', (column) => column.primaryKey())
        .addColumn('private_jwk', 'jsonb', (column) => column.notNull())
        .addColumn('public_jwk', 'jsonb', (column) => column.notNull())
        .addColumn('created', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
        .addColumn('retired', 'timestamptz')
        .execute();
      // One key signs at a time, whichever of several instances is the first to make one.
      await sql`create unique index signing_keys_active on signing_keys ((retired is null)) where retired is null`.execute(db);
      await db.schema
        .createTable('clients')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('secret_hash', 'text', (column) => column.notNull())
        .addColumn('principal_id', 'text', (column) => column.notNull())
        .addColumn('scopes', sql`text[]`, (column) => column.notNull())
        .addColumn('created', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
        .execute();
    },
  },
};
