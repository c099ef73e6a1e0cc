import type { ServiceContext } from './context.ts';

/** `src/storage/index.ts`. */
export function storageIndex({ names: { one } }: ServiceContext): string {
  return `export { ${one.camel}Storage, type ${one.pascal}Storage } from './${one.kebab}-storage.ts';
export { migrations } from './migrations.ts';
export { type Tables } from './tables.ts';
`;
}

/** `src/storage/tables.ts`. */
export function tables({ names: { one, many, article } }: ServiceContext): string {
  return `import { type Generated } from '@talaria/storage';

/** ${article === 'an' ? 'An' : 'A'} ${one.words}. */
export interface ${many.pascal}Table {
  id: string;
  /** The id of the principal that owns it. */
  owner: string;
  title: string;
  description: string;
  created: Generated<Date>;
  updated: Generated<Date>;
}

/** What this service keeps. */
export interface Tables {
  ${many.snake}: ${many.pascal}Table;
}
`;
}

/** `src/storage/migrations.ts`. */
export function migrations({ names: { many } }: ServiceContext): string {
  return `import { sql, type Kysely, type Migrations } from '@talaria/storage';

/** In order; each expands only, so that old and new instances run side by side. */
export const migrations: Migrations = {
  '001_${many.snake}': {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('${many.snake}')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('owner', 'text', (column) => column.notNull())
        .addColumn('title', 'text', (column) => column.notNull())
        .addColumn('description', 'text', (column) => column.notNull())
        .addColumn('created', sql\`timestamptz(3)\`, (column) => column.notNull().defaultTo(sql\`now()\`))
        .addColumn('updated', sql\`timestamptz(3)\`, (column) => column.notNull().defaultTo(sql\`now()\`))
        .execute();
      await db.schema.createIndex('${many.snake}_by_owner').on('${many.snake}').columns(['owner', 'created', 'id']).execute();
    },
  },
};
`;
}

/** `src/storage/…-storage.ts`. */
export function storage({ names: { one, many }, contracts, contract }: ServiceContext): string {
  const { pascal } = one;
  return `import { type ${pascal} } from '${contracts}/${contract}';
import { newId } from '@talaria/service';
import { sql, type Postgres } from '@talaria/storage';
import { type ${pascal}Changes } from '../logic/${one.kebab}-changes.ts';
import { type Place } from '../logic/page-token.ts';
import { type Tables } from './tables.ts';

/** ${many.words.charAt(0).toUpperCase()}${many.words.slice(1)}, always as one owner sees them. */
export interface ${pascal}Storage {
  create(owner: string, fields: { readonly title: string; readonly description: string }): Promise<${pascal}>;
  /** Undefined also for one of another owner, as in \`update\`. */
  get(owner: string, id: string): Promise<${pascal} | undefined>;
  /** Oldest first; those after a place, if given. */
  list(owner: string, page: { readonly limit: number; readonly after: Place | undefined }): Promise<${pascal}[]>;
  update(owner: string, id: string, changes: ${pascal}Changes): Promise<${pascal} | undefined>;
  /** Whether there was one to delete. */
  delete(owner: string, id: string): Promise<boolean>;
}

/** Keeps ${many.words} in PostgreSQL. */
export function ${one.camel}Storage(postgres: Postgres<Tables>): ${pascal}Storage {
  const columns = ['id', 'title', 'description', 'created', 'updated'] as const;
  const get: ${pascal}Storage['get'] = (owner, id) => postgres.db.selectFrom('${many.snake}').select(columns).where('owner', '=', owner).where('id', '=', id).executeTakeFirst();
  return {
    create: (owner, fields) =>
      postgres.db
        .insertInto('${many.snake}')
        .values({ id: newId('${one.snake}'), owner, ...fields })
        .returning(columns)
        .executeTakeFirstOrThrow(),
    get,
    list(owner, { limit, after }) {
      const all = postgres.db.selectFrom('${many.snake}').select(columns).where('owner', '=', owner);
      const page = after ? all.where(sql<boolean>\`(created, id) > (\${after.created}, \${after.id})\`) : all;
      return page.orderBy('created').orderBy('id').limit(limit).execute();
    },
    async update(owner, id, changes) {
      if (Object.keys(changes).length === 0) return get(owner, id);
      return postgres.db
        .updateTable('${many.snake}')
        .set({ ...changes, updated: sql<Date>\`now()\` })
        .where('owner', '=', owner)
        .where('id', '=', id)
        .returning(columns)
        .executeTakeFirst();
    },
    async delete(owner, id) {
      const { numDeletedRows } = await postgres.db.deleteFrom('${many.snake}').where('owner', '=', owner).where('id', '=', id).executeTakeFirst();
      return numDeletedRows > 0n;
    },
  };
}
`;
}

/** `src/storage/…-storage.test.ts`. */
export function storageTest({ names: { one, many }, service }: ServiceContext): string {
  return `import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { silentLogger } from '@talaria/service';
import { postgres } from '@talaria/storage';
import { testDatabase } from '@talaria/testing';
import { ${one.camel}Storage, migrations, type Tables } from './index.ts';

const ready = (async () => {
  const database = await testDatabase();
  const db = postgres<Tables>({ migrations });
  await db.start({ service: '${service}', instance: 'inst_1', log: silentLogger, env: { DATABASE_URL: database.url } }, AbortSignal.timeout(60_000));
  return { database, db, storage: ${one.camel}Storage(db) };
})();
after(async () => {
  const { database, db } = await ready;
  await db.stop();
  await database.close();
});

const fields = { title: 'First', description: 'of all' };

test('what is kept is found by its owner, changed and deleted, and by nobody else', async () => {
  const { storage } = await ready;
  const kept = await storage.create('user_ann', fields);
  assert.ok(kept.id.startsWith('${one.snake}_') && kept.created instanceof Date);
  assert.deepEqual(await storage.get('user_ann', kept.id), kept);
  assert.equal(await storage.get('user_bob', kept.id), undefined);
  assert.equal(await storage.update('user_bob', kept.id, { title: 'Mine' }), undefined);
  assert.equal(await storage.delete('user_bob', kept.id), false);

  assert.deepEqual(await storage.update('user_ann', kept.id, {}), kept);
  const changed = await storage.update('user_ann', kept.id, { title: 'Second' });
  assert.deepEqual(changed, { ...kept, title: 'Second', updated: changed?.updated });
  assert.ok((changed?.updated?.getTime() ?? 0) >= (kept.updated?.getTime() ?? 0));
  assert.equal(await storage.delete('user_ann', kept.id), true);
  assert.equal(await storage.delete('user_ann', kept.id), false);
  assert.equal(await storage.get('user_ann', kept.id), undefined);
});

test('pages follow each other, oldest first, also when several were created at once', async () => {
  const { db, storage } = await ready;
  const ids: string[] = [];
  for (let index = 0; index < 5; index++) ids.push((await storage.create('user_pages', { ...fields, title: String(index) })).id);
  const at = new Date('2026-01-31T12:00:00.123Z');
  await db.db.updateTable('${many.snake}').set({ created: at }).where('owner', '=', 'user_pages').execute();
  const first = await storage.list('user_pages', { limit: 3, after: undefined });
  const last = first.at(-1);
  assert.deepEqual(last?.created, at);
  // What was deleted meanwhile leaves the place where it was.
  await storage.delete('user_pages', last?.id ?? '');
  const second = await storage.list('user_pages', { limit: 3, after: { created: at, id: last?.id ?? '' } });
  assert.deepEqual([...first, ...second].map(({ id }) => id), ids.toSorted());
});
`;
}
