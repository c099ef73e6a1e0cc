import { sql, type Kysely, type Migrations } from '@talaria/storage';

/** In order; each expands only, so that old and new instances run side by side. */
export const migrations: Migrations = {
  '001_webhooks': {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('webhooks')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('account_id', 'text', (column) => column.notNull())
        .addColumn('url', 'text', (column) => column.notNull())
        .addColumn('secret', 'text', (column) => column.notNull())
        .addColumn('created', sql`timestamptz(3)`, (column) => column.notNull().defaultTo(sql`now()`))
        .addColumn('disabled', sql`timestamptz(3)`)
        .execute();
      await db.schema.createIndex('webhooks_by_account').on('webhooks').columns(['account_id', 'created', 'id']).execute();
      await db.schema
        .createTable('deliveries')
        .addColumn('id', 'bigserial', (column) => column.primaryKey())
        .addColumn('webhook_id', 'text', (column) => column.notNull().references('webhooks.id').onDelete('cascade'))
        .addColumn('event_id', 'text', (column) => column.notNull())
        .addColumn('body', 'text', (column) => column.notNull())
        .addColumn('attempts', 'int4', (column) => column.notNull().defaultTo(0))
        .addColumn('due', sql`timestamptz(3)`, (column) => column.notNull().defaultTo(sql`now()`))
        .addColumn('taken_until', sql`timestamptz(3)`)
        .addColumn('dead', sql`timestamptz(3)`)
        .addColumn('last_error', 'text')
        .addUniqueConstraint('deliveries_once', ['webhook_id', 'event_id'])
        .execute();
      await sql`create index deliveries_due on deliveries (due, webhook_id) where dead is null`.execute(db);
      await sql`create index deliveries_of_webhook on deliveries (webhook_id, due) where dead is null`.execute(db);
    },
  },
  '002_traces': {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema.alterTable('deliveries').addColumn('traceparent', 'text').execute();
    },
  },
};
