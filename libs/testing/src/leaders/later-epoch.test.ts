import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Leadership } from '@talaria/base';
import { hasCode } from '@talaria/errors';
import { postgres, sql } from '@talaria/storage';
import { testDatabase } from '../database.ts';
import { eventually } from '../eventually.ts';
import { createPlatform } from '../platform.ts';

test('a leader whose elections know less than the database is refused once, elected again, and gets through', async () => {
  const database = await testDatabase();
  const platform = await createPlatform({ env: { DATABASE_URL: database.url } });
  const db = postgres<object>();
  const service = platform.service({ name: 'service.rates', storage: db });
  // As if what decides had been restored from a backup: here the leaders of a later epoch have written.
  const seen = (BigInt(Date.now() + 86_400_000) << 64n) + 7n;
  service.onStart(async () => {
    await sql`create table talaria_fences (name text primary key, token numeric not null)`.execute(db.db);
    await sql`insert into talaria_fences values ('memory/service.rates/import', ${String(seen)})`.execute(db.db);
    await sql`create table rates (rate int4)`.execute(db.db);
  });
  const leaders: Leadership[] = [];
  const errors: unknown[] = [];
  let written = false;
  service.leader('import', async (signal, leadership) => {
    leaders.push(leadership);
    await sql`insert into rates values (1)`.execute(db.db).catch((error: unknown) => {
      errors.push(error);
      throw error;
    });
    written = true;
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  });
  await service.start();
  await eventually(() => written);
  assert.equal(leaders.length, 2);
  assert.ok(leaders[0]!.token < seen && leaders[1]!.token > seen);
  assert.ok(errors.length === 1 && hasCode(errors[0], 'conflict.fenced'));
  assert.ok(leaders[0]!.lost.aborted && leaders[1]!.isHeld());
  await platform.stop();
  await database.close();
});
