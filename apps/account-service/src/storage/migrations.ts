import { sql, type Kysely, type Migrations } from '@talaria/storage';

/** In order; each expands only, so that old and new instances run side by side. */
export const migrations: Migrations = {
  '001_accounts': {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('accounts')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('owner', 'text', (column) => column.notNull())
        .addColumn('description', 'text', (column) => column.notNull())
        .addColumn('created', sql`timestamptz(3)`, (column) => column.notNull().defaultTo(sql`now()`))
        .execute();
      await db.schema.createIndex('accounts_by_owner').on('accounts').columns(['owner', 'created', 'id']).execute();
    },
  },
};
