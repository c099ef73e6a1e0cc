import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { messaging } from '@talaria/messaging';
import { silentLogger } from '@talaria/service';
import { postgres } from '@talaria/storage';
import { testDatabase } from '@talaria/testing';
import { migrations } from './migrations.ts';
import { type Tables } from './tables.ts';
import { transactionStorage, type NewTransaction } from './transaction-storage.ts';

const ready = (async () => {
  const database = await testDatabase();
  const db = postgres<Tables>({ migrations });
  const events = messaging({ storage: db });
  const published: string[] = [];
  events.subscribe('transaction.created', async (event) => void published.push((event.data as { dedupe_id: string }).dedupe_id));
  const host = { service: 'service.transaction', instance: 'inst_1', log: silentLogger, env: { DATABASE_URL: database.url } };
  await db.start(host, AbortSignal.timeout(60_000));
  await events.start(host, AbortSignal.timeout(60_000));
  return { database, db, events, published, storage: transactionStorage(db, events) };
})();
after(async () => {
  const { database, db, events } = await ready;
  await events.stop();
  await db.stop();
  await database.close();
});

const request = (changes: Partial<NewTransaction>): NewTransaction => ({ accountId: 'acc_1', amount: -520n, currency: 'GBP', description: 'Coffee', dedupeId: '', ...changes });

test('a dedupe_id is recorded once, however often and however fast it comes, and published once', async () => {
  const { storage, published } = await ready;
  const all = await Promise.all(Array.from({ length: 8 }, () => storage.record(request({ dedupeId: 'order-1' }))));
  assert.equal(new Set(all.map(({ id }) => id)).size, 1);
  await storage.record(request({ dedupeId: 'last' }));
  const limit = performance.now() + 30_000;
  while (!published.includes('last')) {
    assert.ok(performance.now() < limit, 'the event did not arrive');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.deepEqual(published.toSorted(), ['last', 'order-1']);
});

test('the same dedupe_id with other fields is a conflict; for another account, and without one, it is not', async () => {
  const { storage } = await ready;
  const first = await storage.record(request({ dedupeId: 'order-2' }));
  await assert.rejects(storage.record(request({ dedupeId: 'order-2', amount: 1n })), { code: 'conflict.dedupe_id', params: { id: first.id } });
  assert.notEqual((await storage.record(request({ dedupeId: 'order-2', accountId: 'acc_2' }))).id, first.id);
  assert.notEqual((await storage.record(request({}))).id, (await storage.record(request({}))).id);
});

test('an account is listed oldest first, page by page, and by time', async () => {
  const { storage } = await ready;
  const recorded = [];
  for (let index = 0; index < 5; index++) recorded.push(await storage.record(request({ accountId: 'acc_pages', amount: BigInt(index) })));
  const ids = recorded.map(({ id }) => id);
  const first = await storage.list('acc_pages', { limit: 3 });
  const second = await storage.list('acc_pages', { limit: 3, since: first.at(-1)?.id });
  assert.deepEqual([...first, ...second].map(({ id }) => id), ids);
  assert.deepEqual(await storage.list('acc_pages', { limit: 9, since: recorded.at(-1)?.created }), []);
  assert.deepEqual(await storage.list('acc_pages', { limit: 9, before: recorded[0]?.created }), []);
  assert.equal((await storage.get(ids[2] ?? ''))?.amount, 2n);
});
