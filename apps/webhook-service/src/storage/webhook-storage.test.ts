import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Envelope } from '@talaria/messaging';
import { newId, silentLogger } from '@talaria/service';
import { postgres } from '@talaria/storage';
import { testDatabase } from '@talaria/testing';
import { migrations, webhookStorage, type Delivery, type Tables } from './index.ts';

const ready = (async () => {
  const database = await testDatabase();
  const db = postgres<Tables>({ migrations });
  await db.start({ service: 'service.webhook', instance: 'inst_1', log: silentLogger, env: { DATABASE_URL: database.url } }, AbortSignal.timeout(60_000));
  return { database, db, storage: webhookStorage(db) };
})();
after(async () => {
  const { database, db } = await ready;
  await db.stop();
  await database.close();
});

const event = (account: string, id = newId('evt')): Envelope => ({ id, type: 'transaction.created', time: new Date().toISOString(), source: 'service.test', subject: account, data: { id } });
const LIMITS = { most: 100, mostForEachWebhook: 8, holdMs: 60_000 };

/** An account with webhooks and events, and nothing else to deliver in the database. */
async function scene(webhooks: number, events: number): Promise<{ account: string; claim: (changes?: Partial<typeof LIMITS>) => Promise<Delivery[]> }> {
  const { db, storage } = await ready;
  await db.db.deleteFrom('webhooks').execute();
  const account = newId('acc');
  for (let index = 0; index < webhooks; index++) await storage.create(account, `http://example.com/${index}`, 'whsec_x');
  for (let index = 0; index < events; index++) await storage.enqueue(event(account));
  return { account, claim: (changes) => storage.claim({ ...LIMITS, ...changes }) };
}

test('an event is one delivery for each webhook of its account, however often it comes', async () => {
  const { storage } = await ready;
  const { account, claim } = await scene(2, 0);
  await storage.create('acc_other', 'http://example.com/other', 'whsec_x');
  const sent = event(account);
  await storage.enqueue(sent);
  await storage.enqueue(sent);
  const claimed = await claim();
  assert.deepEqual(claimed.map(({ url }) => url).sort(), ['http://example.com/0', 'http://example.com/1']);
  assert.deepEqual(claimed.map(({ attempt, body }) => [attempt, JSON.parse(body)]), claimed.map(() => [1, { type: sent.type, data: sent.data }]));
  assert.deepEqual(await claim(), []);
});

test('a delivery names the trace that caused its event', async () => {
  const { storage } = await ready;
  const { account, claim } = await scene(1, 0);
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await storage.enqueue({ ...event(account), traceparent });
  await storage.enqueue(event(account));
  assert.deepEqual((await claim()).map((each) => each.traceparent).sort(), [traceparent, undefined]);
});

test('webhooks that hang hide nobody else, although they were there first', async () => {
  const { storage } = await ready;
  const { claim } = await scene(4, 1);
  assert.equal((await claim()).length, 4);
  await storage.create('acc_late', 'http://example.com/late', 'whsec_x');
  await storage.enqueue(event('acc_late'));
  assert.deepEqual((await claim({ most: 2 })).map(({ url }) => url), ['http://example.com/late']);
});

test('a webhook at its limit leaves room to others', async () => {
  const { storage } = await ready;
  const { claim } = await scene(1, 5);
  assert.equal((await claim({ mostForEachWebhook: 2 })).length, 2);
  assert.deepEqual(await claim({ mostForEachWebhook: 2 }), []);
  await storage.create('acc_late', 'http://example.com/late', 'whsec_x');
  await storage.enqueue(event('acc_late'));
  assert.equal((await claim({ most: 1, mostForEachWebhook: 2 }))[0]?.url, 'http://example.com/late');
});

test('what a dead worker held is taken again, and the late one has no say any more', async () => {
  const { storage } = await ready;
  const { claim } = await scene(1, 1);
  const [late] = await claim({ holdMs: 1 });
  assert.ok(late);
  let again = await claim();
  while (again.length === 0) again = await claim();
  assert.equal(again[0]?.attempt, 2);
  await storage.succeed(late);
  await storage.fail(late, 'late', 0);
  assert.deepEqual(await claim(), []);
  await storage.fail(again[0] ?? late, 'not now', 0);
  assert.equal((await claim())[0]?.attempt, 3);
});

test('a failed one comes again when it is due, or is kept as dead', async () => {
  const { db, storage } = await ready;
  const { claim } = await scene(1, 2);
  const [one, other] = await claim();
  assert.ok(one && other);
  await storage.fail(one, 'answered 500', 3_600_000);
  await storage.fail(other, 'answered 500', undefined);
  assert.deepEqual(await claim(), []);
  const { dead, last_error: error } = await db.db.selectFrom('deliveries').selectAll().where('id', '=', other.id).executeTakeFirstOrThrow();
  assert.ok(dead);
  assert.equal(error, 'answered 500');
});

test('a receiver that is gone gets nothing more, whatever other attempts come to and whatever happens later', async () => {
  const { storage } = await ready;
  const { account, claim } = await scene(1, 3);
  const [one, other] = await claim({ mostForEachWebhook: 2 });
  assert.ok(one && other);
  await storage.disable(one.webhookId);
  await storage.fail(other, 'answered 500', 0);
  await storage.enqueue(event(account));
  assert.deepEqual(await claim(), []);
});

test('a deleted webhook takes its deliveries with it', async () => {
  const { storage } = await ready;
  const { claim } = await scene(1, 2);
  const [held] = await claim({ most: 1 });
  assert.ok(held);
  await storage.delete(held.webhookId);
  await storage.succeed(held);
  assert.deepEqual(await claim(), []);
});
