import { sql, type Kysely } from 'kysely';
import { hasSqlState, isUniqueViolation } from './database-error.ts';
import { type Transactions } from './transaction.ts';

/** One step of a schema; Kysely's own `Migration` fits. */
export interface Migration {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as Kysely types it: a schema between two versions has no type
  up(db: Kysely<any>): Promise<void>;
}

/** Steps by name, run in the order of their names: `001_accounts`. Expand first and contract later, as old instances still run. */
export type Migrations = Readonly<Record<string, Migration>>;

const MULTIPLE_CREATORS = ['42P07', '42710', 'XX000'];

/** `create table if not exists` by two at the same time fails for one of them; the next try finds the table. */
export async function createTables(create: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await create();
      return;
    } catch (error) {
      const clash = isUniqueViolation(error) || MULTIPLE_CREATORS.some((state) => hasSqlState(error, state));
      if (!clash || attempt === 5) throw error;
    }
  }
}

/**
 * Runs what has not run yet, all of it or nothing. Those who start at the same time wait for each other at a row, since
 * pooled and distributed servers lack advisory locks. Unknown names are those of newer instances, and ignored.
 */
export async function migrate(db: Kysely<unknown>, transactions: Transactions, scope: string, migrations: Migrations): Promise<void> {
  const names = Object.keys(migrations).sort();
  const missing = async (): Promise<string[]> => {
    const { rows } = await sql<{ name: string }>`select name from talaria_migrations where scope = ${scope}`.execute(db);
    const applied = new Set(rows.map(({ name }) => name));
    return names.filter((name) => !applied.has(name));
  };
  await createTables(async () => {
    await sql`create table if not exists talaria_migrations (scope text not null, name text not null, applied timestamptz not null default now(), primary key (scope, name))`.execute(db);
    await sql`create table if not exists talaria_migration_lock (id int primary key)`.execute(db);
    await sql`insert into talaria_migration_lock (id) values (1) on conflict do nothing`.execute(db);
  });
  if ((await missing()).length === 0) return;
  await transactions.run(async () => {
    await sql`select id from talaria_migration_lock where id = 1 for update`.execute(db);
    for (const name of await missing()) {
      await migrations[name]?.up(db);
      await sql`insert into talaria_migrations (scope, name) values (${scope}, ${name})`.execute(db);
    }
  });
}
