import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Host, type Leadership } from '@talaria/base';
import { detached, runFenced } from '@talaria/context';
import { conflict, hasCode } from '@talaria/errors';
import { eventually, testServer, type TestServer } from '@talaria/postgres/testing';
import { postgres, sql, type Migrations, type Postgres, type PostgresOptions } from './index.ts';

interface Tables {
  counters: { name: string; value: number };
}
const migrations: Migrations = {
  '001_counters': {
    async up(db) {
      await sql`create table counters (name text primary key, value int4 not null)`.execute(db);
      await sql`insert into counters values ('a', 0)`.execute(db);
    },
  },
};
const forever = new AbortController().signal;

/** A leader of which a test decides what its clock says. */
interface TestLeader extends Leadership {
  readonly told: bigint[];
  lose(): void;
}
function leader(token: bigint, name = 'default/service.test/clean'): TestLeader {
  const losing = new AbortController();
  const told: bigint[] = [];
  const lose = (): void => losing.abort(conflict('fenced', 'It is over.'));
  return { name, token, lost: losing.signal, told, lose, isHeld: () => !losing.signal.aborted, refused: (seen) => void told.push(seen), resign: async () => lose() };
}
const isFenced = (error: unknown): boolean => hasCode(error, 'conflict.fenced') && (error as { code?: string }).code === 'conflict.fenced';

describe('what leaders write', () => {
  let server: TestServer;
  let host: Host;
  const started: Postgres<Tables>[] = [];
  before(async () => (server = await testServer()));
  after(async () => {
    await Promise.all(started.map((each) => each.stop()));
    await server.stop();
  });
  async function instance(options: PostgresOptions = {}): Promise<Postgres<Tables>> {
    const storage = postgres<Tables>({ migrations, ...options });
    started.push(storage);
    await storage.start(host, forever);
    return storage;
  }
  async function fresh(): Promise<Postgres<Tables>> {
    host = server.host();
    return instance();
  }
  const value = async ({ db }: Postgres<Tables>): Promise<number> => (await detached(() => db.selectFrom('counters').select('value').where('name', '=', 'a').executeTakeFirstOrThrow())).value;
  const set = (storage: Postgres<Tables>, to: number): Promise<unknown> => storage.db.updateTable('counters').set({ value: to }).where('name', '=', 'a').execute();
  const tables = async ({ db }: Postgres<Tables>): Promise<number> => (await detached(() => sql`select 1 from pg_tables where tablename = 'talaria_fences'`.execute(db))).rows.length;

  it('is refused once a later leader has written, in a transaction and without; and the late one is told', async () => {
    const storage = await fresh();
    await set(storage, 1);
    assert.equal(await tables(storage), 0, 'nothing is made for those who do not lead');
    const [late, next] = [leader(5n << 64n), leader((5n << 64n) + 1n)];
    await runFenced(late, () => set(storage, 2));
    await runFenced(late, () => storage.transaction(() => set(storage, 3)));
    await runFenced(next, () => set(storage, 4));
    await assert.rejects(runFenced(late, () => set(storage, 5)), isFenced);
    await assert.rejects(runFenced(late, () => storage.transaction(() => set(storage, 6))), isFenced);
    await assert.rejects(runFenced(late, () => value0(storage)), isFenced, 'what it would read, it would only decide by');
    assert.equal(await value(storage), 4);
    assert.deepEqual(late.told, [next.token, next.token, next.token]);
    await runFenced(next, () => set(storage, 7));
    await set(storage, 8);
    assert.equal(await value(storage), 8, 'those who do not lead are not concerned');
  });
  const value0 = (storage: Postgres<Tables>): Promise<unknown> => storage.db.selectFrom('counters').selectAll().execute();

  it('is refused by the clock of the leader alone, before anything is sent', async () => {
    const storage = await fresh();
    const over = leader(1n);
    await runFenced(over, () => set(storage, 1));
    await assert.rejects(
      runFenced(over, () =>
        storage.transaction(async () => {
          await set(storage, 2);
          over.lose();
          await set(storage, 3).catch(() => {});
        }),
      ),
      isFenced,
    );
    await assert.rejects(runFenced(over, () => set(storage, 4)), isFenced);
    const between = leader(2n);
    await assert.rejects(
      runFenced(between, () => storage.transaction(async () => {
        await set(storage, 5);
        between.lose();
      })),
      isFenced,
      'between the last statement and the commit',
    );
    assert.equal(await value(storage), 1);
  });

  it('of one leader goes side by side, also through two storages on one database; and one that comes late keeps nobody waiting', async () => {
    const storage = await fresh();
    const other = await instance();
    const current = leader(2n);
    await runFenced(current, () =>
      storage.transaction(async () => {
        await set(storage, 1);
        await sql`select 1`.execute(other.db);
        await assert.rejects(detached(() => runFenced(leader(1n), () => other.db.selectFrom('counters').selectAll().execute())), isFenced);
      }),
    );
    assert.equal(await value(storage), 1, 'its session was not ended');
  });

  it('does not slip in between what another leader reads and writes', async () => {
    const storage = await fresh();
    const other = await instance();
    const [late, next] = [leader(1n), leader(2n)];
    const add = async (by: Leadership, from: Postgres<Tables>, meanwhile: () => Promise<void>): Promise<void> =>
      runFenced(by, () =>
        from.transaction(async () => {
          const { value: read } = await from.db.selectFrom('counters').select('value').where('name', '=', 'a').executeTakeFirstOrThrow();
          await meanwhile();
          await set(from, read + 1);
        }),
      );
    let nextWrites: Promise<void> | undefined;
    const first = add(late, storage, async () => {
      nextWrites = detached(() => add(next, other, async () => {}));
      assert.ok(await blocked(storage), 'the next one waits until the late one has ended');
    });
    // On a machine that is too slow the next one has ended it.
    const before = await first.then(() => 1, () => 0);
    await nextWrites;
    assert.equal(await value(storage), before + 1);
    await assert.rejects(add(late, storage, async () => {}), isFenced);
    assert.equal(await value(storage), before + 1);
  });
  /** Whether somebody waits to raise a fence. */
  const blocked = (storage: Postgres<Tables>): Promise<boolean> =>
    eventually(async () => (await detached(() => sql`select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like 'insert into talaria_fences%' and datname = current_database()`.execute(storage.db))).rows.length > 0, 'somebody waits');

  it('that was left open by a leader that sleeps is rolled back, so that the next need not wait for it', async () => {
    const storage = await fresh();
    const other = await instance();
    const [frozen, next] = [leader(1n), leader(2n)];
    const { promise: asleep, resolve: wake } = Promise.withResolvers<void>();
    const { promise: wrote, resolve: hasWritten } = Promise.withResolvers<void>();
    const sleeping = runFenced(frozen, () =>
      storage.transaction(async () => {
        await set(storage, 100);
        hasWritten();
        await asleep;
        await set(storage, 101);
      }),
    );
    const outcome = assert.rejects(sleeping);
    await wrote;
    await runFenced(next, () => other.transaction(async () => set(other, (await value(other)) + 1)));
    wake();
    await outcome;
    assert.equal(await value(storage), 1);
    await assert.rejects(runFenced(frozen, () => set(storage, 102)), isFenced);
  });

  it('goes on in parallel, also when all connections wait for the fence', async () => {
    host = server.host();
    const storage = await instance({ pool: { max: 3 } });
    const leads = leader(1n);
    let inside = 0;
    const { promise: all, resolve: allInside } = Promise.withResolvers<void>();
    await Promise.all(
      [1, 2, 3].map((each) =>
        runFenced(leads, () =>
          storage.transaction(async () => {
            await sql`insert into counters values (${`p${each}`}, 1)`.execute(storage.db);
            if (++inside === 3) allInside();
            await all;
          }),
        ),
      ),
    );
    await Promise.all(Array.from({ length: 12 }, (_, each) => runFenced(leads, () => sql`insert into counters values (${`q${each}`}, 1)`.execute(storage.db))));
    assert.equal((await detached(() => storage.db.selectFrom('counters').selectAll().execute())).length, 16);
  });

  it('is refused as a whole when a transaction that was open before is joined by a late leader', async () => {
    const storage = await fresh();
    await runFenced(leader(9n), () => set(storage, 1));
    const late = leader(8n);
    await assert.rejects(
      storage.transaction(async () => {
        await sql`insert into counters values ('b', 1)`.execute(storage.db);
        await runFenced(late, () => set(storage, 2)).catch(() => {});
      }),
      isFenced,
    );
    assert.deepEqual((await storage.db.selectFrom('counters').selectAll().execute()), [{ name: 'a', value: 1 }]);
  });

  it('is guarded again when the fences were lost, as in a database that was restored', async () => {
    const storage = await fresh();
    const leads = leader(5n);
    await runFenced(leads, () => set(storage, 1));
    await sql`delete from talaria_fences`.execute(storage.db);
    await runFenced(leads, () => set(storage, 2));
    await sql`drop table talaria_fences`.execute(storage.db);
    await runFenced(leads, () => set(storage, 3));
    const next = leader(6n);
    await runFenced(next, () => set(storage, 4));
    const { rows } = await sql<{ token: string }>`select token from talaria_fences`.execute(storage.db);
    assert.deepEqual(rows, [{ token: '6' }]);
  });

  it('counts for each fence by itself, and for all that are nested', async () => {
    const storage = await fresh();
    const [a, b] = [leader(1n, 'a'), leader(1n, 'b')];
    await runFenced(a, () => runFenced(b, () => set(storage, 1)));
    await runFenced(leader(2n, 'a'), () => set(storage, 2));
    await runFenced(b, () => set(storage, 3));
    await assert.rejects(runFenced(a, () => runFenced(b, () => set(storage, 4))), isFenced);
    await assert.rejects(runFenced(b, () => runFenced(a, () => set(storage, 5))), isFenced);
    assert.equal(await value(storage), 3);
  });
});
