import { sql, type Kysely, type Migrations } from '@talaria/storage';

/** In order; each expands only, so that old and new instances run side by side. */
export const migrations: Migrations = {
  '001_transactions': {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('transactions')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('account_id', 'text', (column) => column.notNull())
        .addColumn('amount', 'int8', (column) => column.notNull())
        .addColumn('currency', 'text', (column) => column.notNull())
        .addColumn('description', 'text', (column) => column.notNull())
        .addColumn('dedupe_id', 'text')
        .addColumn('created', sql`timestamptz(3)`, (column) => column.notNull().defaultTo(sql`now()`))
        .addUniqueConstraint('transactions_dedupe', ['account_id', 'dedupe_id'])
        .execute();
      await db.schema.createIndex('transactions_by_account').on('transactions').columns(['account_id', 'created', 'id']).execute();
    },
  },
};
