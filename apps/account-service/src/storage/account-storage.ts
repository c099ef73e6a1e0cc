import { type Account } from '@talaria/contracts/account/v1/account';
import { newId } from '@talaria/service';
import { type Postgres, sql } from '@talaria/storage';
import { type Tables } from './tables.ts';

/** Accounts, always as one owner sees them. */
export interface AccountStorage {
  create(owner: string, description: string): Promise<Account>;
  /** Undefined also for an account of another owner. */
  get(owner: string, id: string): Promise<Account | undefined>;
  /** Oldest first; those after the account `since`, if given. */
  list(owner: string, page: { readonly limit: number; readonly since: string }): Promise<Account[]>;
}

/** Keeps accounts in PostgreSQL. */
export function accountStorage(postgres: Postgres<Tables>): AccountStorage {
  const columns = ['id', 'description', 'created'] as const;
  return {
    create: (owner, description) =>
      postgres.db.insertInto('accounts').values({ id: newId('acc'), owner, description }).returning(columns).executeTakeFirstOrThrow(),
    get: (owner, id) => postgres.db.selectFrom('accounts').select(columns).where('owner', '=', owner).where('id', '=', id).executeTakeFirst(),
    list(owner, { limit, since }) {
      const all = postgres.db.selectFrom('accounts').select(columns).where('owner', '=', owner);
      const page = since === '' ? all : all.where(sql<boolean>`(created, id) > (select created, id from accounts where owner = ${owner} and id = ${since})`);
      return page.orderBy('created').orderBy('id').limit(limit).execute();
    },
  };
}
