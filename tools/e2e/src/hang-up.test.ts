import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import pg from 'pg';
import { ask, eventually, login, openAccount, usePlatform } from './harness.ts';

const platform = usePlatform();

test('hanging up on HTTP ends the database query of the third service', async () => {
  const token = await login(platform());
  const account = await openAccount(platform(), token);
  const { database_url: server } = JSON.parse(await readFile(join(platform().stateDir, 'platform.json'), 'utf8')) as { database_url: string };
  const url = new URL(server);
  url.pathname = '/service_account';
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    const waiting = async (): Promise<number> => {
      const { rows } = await client.query<{ count: number }>(
        `select count(*)::int as count from pg_stat_activity where datname = 'service_account' and wait_event_type = 'Lock' and query like '%accounts%'`,
      );
      return rows[0]?.count ?? 0;
    };
    // gateway -> transaction-service -> account-service -> a query that this lock holds up.
    await client.query('begin');
    await client.query('lock table accounts in access exclusive mode');
    let hangUp = new AbortController();
    let outcome: Promise<unknown> | undefined;
    await eventually(
      async () => {
        // On a busy machine a call may be over its deadline before the query is made.
        if (!outcome) {
          hangUp = new AbortController();
          outcome = fetch(`${platform().gateway}/transactions?account_id=${account}`, { headers: { authorization: `Bearer ${token}` }, signal: hangUp.signal }).then(
            () => (outcome = undefined),
            (error: unknown) => error,
          );
        }
        return (await waiting()) === 1;
      },
      { limitMs: 120_000 },
    );
    hangUp.abort();
    assert.equal(((await outcome) as Error | undefined)?.name, 'AbortError');
    await eventually(async () => (await waiting()) === 0);
    await client.query('rollback');
    assert.equal((await ask(platform(), `/accounts/${account}`, { token })).status, 200);
  } finally {
    await client.end();
  }
});
