import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { testDatabase } from './database.ts';

test('each test gets a database of its own', { timeout: 120_000 }, async () => {
  const [one, other] = await Promise.all([testDatabase(), testDatabase()]);
  const client = new pg.Client({ connectionString: one.url });
  try {
    assert.notEqual(one.url, other.url);
    await client.connect();
    await client.query('create table mine (id int)');
    const elsewhere = new pg.Client({ connectionString: other.url });
    await elsewhere.connect();
    await assert.rejects(elsewhere.query('select * from mine'), /does not exist/);
    await elsewhere.end();
  } finally {
    await client.end();
    await one.close();
    await other.close();
  }
});
