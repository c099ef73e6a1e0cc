import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { silentLogger, type Host } from '@talaria/base';
import { currentCall, detached, runInCall } from '@talaria/context';
import { hasCode } from '@talaria/errors';
import { isUniqueViolation, postgres, sql, type Generated, type Migrations, type Postgres, type PostgresOptions } from './index.ts';
import { eventually, startVictim, testServer, type TestServer } from '@talaria/postgres/testing';

interface Tables {
  notes: { id: Generated<bigint>; name: string; amount: bigint };
}

const migrations: Migrations = {
  '001_notes': {
    async up(db) {
      await sql`create table notes (id bigserial primary key, name text not null, amount int8 not null, constraint notes_name unique (name))`.execute(db);
    },
  },
};
const forever = new AbortController().signal;

describe('storage', () => {
  let server: TestServer;
  const started: Postgres<Tables>[] = [];
  before(async () => (server = await testServer()));
  after(async () => {
    await Promise.all(started.map((each) => each.stop()));
    await server.stop();
  });

  async function start(options: PostgresOptions = {}, host: Host = server.host()): Promise<Postgres<Tables>> {
    const storage = postgres<Tables>({ migrations, ...options });
    started.push(storage);
    await storage.start(host, forever);
    return storage;
  }
  const names = async (storage: Postgres<Tables>): Promise<string[]> => (await detached(() => storage.db.selectFrom('notes').select('name').orderBy('id').execute())).map(({ name }) => name);
  const add = (storage: Postgres<Tables>, name: string): Promise<unknown> => storage.db.insertInto('notes').values({ name, amount: 1n }).execute();
  const sleepers = async (mark: string): Promise<number> => (await server.query(`select 1 from pg_stat_activity where state = 'active' and query like '%' || $1 || '%' and pid <> pg_backend_pid()`, [mark])).length;

  it('makes a database named after the service, and keeps int8 exact', async () => {
    const host = server.host('service.account');
    const storage = await start({}, host);
    const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(storage.db);
    assert.equal(rows[0]?.name, host.service.replaceAll('.', '_'));
    await storage.db.insertInto('notes').values({ name: 'most', amount: 9223372036854775807n }).execute();
    assert.equal((await storage.db.selectFrom('notes').select('amount').executeTakeFirstOrThrow()).amount, 9223372036854775807n);
  });

  it('lets instances that start together make the database and migrate once', async () => {
    const host = server.host();
    let runs = 0;
    const slow: Migrations = {
      ...migrations,
      '002_slow': {
        async up(db) {
          runs++;
          await sql`select pg_sleep(0.1)`.execute(db);
          await sql`create table slow (n int)`.execute(db);
        },
      },
    };
    const all = await Promise.all([1, 2, 3, 4].map(() => start({ migrations: slow }, host)));
    assert.equal(runs, 1);
    // An instance of the version before still starts.
    await start({ migrations }, host);
    await add(all[0]!, 'works');
  });

  it('leaves nothing of a migration that fails, and runs it at the next start', async () => {
    const host = server.host();
    const broken: Migrations = { ...migrations, '002_broken': { up: async (db) => void (await sql`create table half (n int)`.execute(db), await sql`select nonsense`.execute(db)) } };
    await assert.rejects(start({ migrations: broken }, host), /nonsense/);
    await start({ migrations: { ...migrations, '002_broken': { up: async (db) => void (await sql`create table half (n int)`.execute(db)) } } }, host);
  });

  it('tells wrong settings in one sentence, without the password', async () => {
    const withUrl = (url?: string): Host => ({ service: 'service.test', instance: 'i', log: silentLogger, env: { DATABASE_URL: url } });
    const wrong = new URL(server.url);
    wrong.password = 'wrong-password';
    const nowhere = new URL(server.url);
    nowhere.pathname = '/nowhere';
    for (const [url, fix] of [[undefined, /^DATABASE_URL is not set: set it to/], ['mysql://x', /^DATABASE_URL begins with mysql/], ['what', /^DATABASE_URL is not a URL/], [nowhere.href, /no such database .*leave the name out/]] as const) {
      await assert.rejects(start({}, withUrl(url)), (error: Error) => fix.test(error.message) && !error.message.includes('\n'));
    }
    if (!process.env['TEST_DATABASE_URL']) await assert.rejects(start({}, withUrl(wrong.href)), (error: Error) => /does not accept user or password/.test(error.message) && !error.message.includes('wrong-password'));
  });

  it('runs queries in the open transaction, commits or rolls back, and calls hooks after the commit only', async () => {
    const storage = await start();
    const seen: string[] = [];
    await storage.transaction(async () => {
      assert.equal(storage.inTransaction, true);
      await Promise.all([add(storage, 'a'), storage.transaction(() => add(storage, 'b'))]);
      storage.afterCommit(() => seen.push('committed'));
      assert.deepEqual(await names(storage), [], 'others see nothing yet');
      assert.equal((await storage.db.selectFrom('notes').selectAll().execute()).length, 2);
      assert.deepEqual(seen, []);
    });
    assert.deepEqual(seen, ['committed']);
    await assert.rejects(
      storage.transaction(async () => {
        storage.afterCommit(() => seen.push('never'));
        await add(storage, 'c');
        throw new Error('no');
      }),
      /no/,
    );
    assert.equal(storage.inTransaction, false);
    assert.deepEqual((await names(storage)).sort(), ['a', 'b']);
    assert.deepEqual(seen, ['committed']);
    assert.throws(() => storage.afterCommit(() => {}), /inside transaction/);
  });

  it('keeps transactions of two databases apart', async () => {
    const [one, other] = [await start(), await start()];
    await assert.rejects(one.transaction(async () => {
      await add(one, 'undone');
      assert.equal(other.inTransaction, false);
      await other.transaction(() => add(other, 'kept'));
      throw new Error('no');
    }), /no/);
    assert.deepEqual([await names(one), await names(other)], [[], ['kept']]);
  });

  it('commits no half: neither after a swallowed error, nor a query that comes late', async () => {
    const storage = await start();
    await add(storage, 'there');
    await assert.rejects(storage.transaction(async () => {
      await storage.transaction(async () => {
        await add(storage, 'half');
        throw new Error('inner');
      }).catch(() => {});
    }), /inner/);
    await assert.rejects(storage.transaction(async () => {
      await add(storage, 'more');
      await add(storage, 'there').catch(() => {});
    }), (error) => hasCode(error, 'internal_service.transaction_aborted'));
    let late: Promise<unknown> | undefined;
    await storage.transaction(async () => {
      late = new Promise((resolve) => setTimeout(resolve, 50)).then(() => add(storage, 'late'));
      late.catch(() => {});
    });
    await assert.rejects(late!, (error) => hasCode(error, 'internal_service.transaction_over'));
    await assert.rejects(storage.db.transaction().execute(async () => {}), /use transaction\(\)/);
    assert.deepEqual(await names(storage), ['there']);
  });

  it('repeats a transaction after a deadlock', async () => {
    const storage = await start();
    await storage.db.insertInto('notes').values([{ name: 'x', amount: 0n }, { name: 'y', amount: 0n }]).execute();
    let runs = 0;
    let waiting = 2;
    let meet = (): void => {};
    const met = new Promise<void>((resolve) => (meet = resolve));
    const bump = (first: string, second: string): Promise<void> =>
      storage.transaction(async () => {
        runs++;
        const increment = (name: string): Promise<unknown> => storage.db.updateTable('notes').set({ amount: sql`amount + 1` }).where('name', '=', name).execute();
        await increment(first);
        if (--waiting <= 0) meet();
        await met;
        await increment(second);
      });
    await Promise.all([bump('x', 'y'), bump('y', 'x')]);
    assert.ok(runs > 2);
    assert.deepEqual((await storage.db.selectFrom('notes').select('amount').execute()).map(({ amount }) => amount), [2n, 2n]);
  });

  it('leaves constraint violations to the author of the query', async () => {
    const storage = await start();
    await add(storage, 'once');
    const error = await add(storage, 'once').catch((caught: unknown) => caught);
    assert.ok(isUniqueViolation(error) && isUniqueViolation(error, 'notes_name'));
    assert.ok(!isUniqueViolation(error, 'other') && !isUniqueViolation(new Error('x')));
  });

  it('cancels the query on the server when the caller hangs up, and uses the connection again', async () => {
    const storage = await start({ pool: { max: 1 } });
    const pid = async (): Promise<unknown> => (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(storage.db)).rows[0]?.pid;
    const before = await pid();
    for (const inTransaction of [false, true]) {
      const caller = new AbortController();
      const mark = `hang up ${inTransaction}`;
      const query = (): Promise<unknown> => sql`select pg_sleep(60), ${sql.lit(mark)}`.execute(storage.db);
      const running = runInCall({ signal: caller.signal }, () => (inTransaction ? storage.transaction(async () => void (await add(storage, 'gone'), await query())) : query()));
      running.catch(() => {});
      await eventually(() => sleepers(mark).then((n) => n === 1), 'the query runs');
      caller.abort();
      await assert.rejects(running, (error) => hasCode(error, 'cancelled.database'));
      assert.equal(await sleepers(mark), 0);
    }
    assert.equal(await pid(), before);
    assert.deepEqual(await names(storage), []);
  });

  it('cancels the query at the deadline, asks nothing after it, and leaves detached work alone', async () => {
    const storage = await start();
    for (const call of [{ deadline: performance.now() + 150 }, { deadline: performance.now() + 150, signal: AbortSignal.timeout(150) }]) {
      await assert.rejects(runInCall(call, () => sql`select pg_sleep(60), 'deadline'`.execute(storage.db)), (error) => hasCode(error, 'timeout.database'));
    }
    assert.equal(await sleepers("'deadline'"), 0);
    await runInCall({ deadline: performance.now() - 1 }, async () => {
      await assert.rejects(add(storage, 'late'), (error) => hasCode(error, 'timeout.database'));
      await assert.rejects(storage.transaction(() => add(storage, 'late')), (error) => hasCode(error, 'timeout.database'));
      await detached(() => add(storage, 'detached'));
    });
    assert.deepEqual(await names(storage), ['detached']);
  });

  it('rolls back what a call that ended before the commit did', async () => {
    const storage = await start();
    const caller = new AbortController();
    await assert.rejects(runInCall({ signal: caller.signal }, () => storage.transaction(async () => {
      await add(storage, 'undone');
      caller.abort();
    })), (error) => hasCode(error, 'cancelled.database'));
    assert.deepEqual(await names(storage), []);
  });

  it('stops waiting for a connection when the call ends, and loses none', async () => {
    const storage = await start({ pool: { max: 1 } });
    await storage.transaction(async () => {
      await add(storage, 'holds the only one');
      const caller = new AbortController();
      const waiting = detached(() => runInCall({ signal: caller.signal }, () => add(storage, 'waits')));
      caller.abort();
      await assert.rejects(waiting, (error) => hasCode(error, 'cancelled.database'));
    });
    await add(storage, 'free again');
    assert.deepEqual(await names(storage), ['holds the only one', 'free again']);
  });

  it('opens connections outside of the call that needs them', async () => {
    const storage = await start({ pool: { max: 1 } });
    const caller = new AbortController();
    await runInCall({ signal: caller.signal, deadline: performance.now() + 30_000 }, () => add(storage, 'first'));
    caller.abort();
    await add(storage, 'second');
    assert.equal(currentCall().signal, undefined);
  });

  it('says how its pool is', async () => {
    const storage = await start();
    const [checker] = storage.checkers;
    const result = await checker!.check(AbortSignal.timeout(5000));
    assert.equal(result['max'], 10);
    await storage.stop();
    await assert.rejects(async () => checker!.check(AbortSignal.timeout(5000)), /stopped/);
  });

  it('stops although a query hangs', async () => {
    const storage = await start();
    const hanging = sql`select pg_sleep(60), 'hangs'`.execute(storage.db);
    hanging.catch(() => {});
    await eventually(() => sleepers("'hangs'").then((n) => n === 1), 'the query runs');
    await storage.stop();
    await assert.rejects(hanging, (error) => hasCode(error, 'unavailable.database'));
  });
});

describe('storage, when the server dies', () => {
  it('waits for a server at the start, fails as unavailable, recovers by itself, and loses nothing acknowledged', async () => {
    const victim = await startVictim();
    const host: Host = { service: 'service.victim', instance: 'i', log: silentLogger, env: { DATABASE_URL: victim.server().url } };
    const storage = postgres<Tables>({ migrations });
    await victim.crash();
    const impatient = new AbortController();
    const given = postgres<Tables>({ migrations }).start(host, impatient.signal);
    given.catch(() => {});
    impatient.abort(new Error('enough'));
    await assert.rejects(given, /enough/);
    const starting = storage.start(host, forever);
    await victim.restart();
    await starting;

    const acknowledged: string[] = [];
    let unavailable = 0;
    let stop = false;
    const writers = [1, 2, 3, 4].map(async (writer) => {
      for (let n = 0; !stop; n++) {
        const name = `${writer}-${n}`;
        try {
          await storage.transaction(async () => void (await storage.db.insertInto('notes').values({ name, amount: 1n }).execute()));
          acknowledged.push(name);
        } catch (error) {
          if (!hasCode(error, 'unavailable.database')) throw error;
          unavailable++;
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
    });
    for (let kill = 0; kill < 2; kill++) {
      const at = acknowledged.length;
      await eventually(() => acknowledged.length > at + 50, 'writes go through');
      await victim.crash();
      await victim.restart();
    }
    const at = acknowledged.length;
    await eventually(() => acknowledged.length > at + 50, 'writes go through again');
    stop = true;
    await Promise.all(writers);
    assert.ok(unavailable > 0);
    const kept = new Set((await storage.db.selectFrom('notes').select('name').execute()).map(({ name }) => name));
    assert.deepEqual(acknowledged.filter((name) => !kept.has(name)), []);
    await storage.stop();
    await victim.stop();
  });
});
