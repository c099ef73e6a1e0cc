import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, testServer, type TestServer } from '@talaria/postgres/testing';
import { postgres } from '@talaria/storage';
import { messaging } from './index.ts';

const TYPE = 'test.happened';
let server: TestServer;
before(async () => {
  server = await testServer();
});
after(() => server.stop());

test('an event of an id is published once for good: by many at once, by an instance that starts later, and only if it is committed', async () => {
  const host = { ...server.host() };
  const env = { ...host.env, BROKER_URL: await server.database() };
  const seen: string[] = [];
  const start = async () => {
    const storage = postgres<object>({});
    const events = messaging({ storage });
    events.subscribe(TYPE, async ({ id }) => void seen.push(id));
    await storage.start({ ...host, env }, AbortSignal.timeout(60_000));
    await events.start({ ...host, env }, AbortSignal.timeout(60_000));
    return { storage, events, stop: async () => (await events.stop(), storage.stop()) };
  };
  const event = { subject: 'user_1', data: { n: 1 }, id: 'exposure_1' };
  const first = await start();
  try {
    await assert.rejects(first.events.publishOnce('Not A Type', event), /not like transaction\.created/);
    await assert.rejects(first.storage.transaction(async () => {
      assert.equal((await first.events.publishOnce(TYPE, event))?.id, 'exposure_1');
      throw new Error('undone');
    }), /undone/);
    const published = await Promise.all(Array.from({ length: 8 }, () => first.events.publishOnce(TYPE, event)));
    assert.equal(published.filter((envelope) => envelope !== undefined).length, 1);
    await eventually(() => seen.length > 0, 'the event arrives');
  } finally {
    await first.stop();
  }
  const second = await start();
  try {
    assert.equal(await second.events.publishOnce(TYPE, event), undefined);
    await second.events.publishOnce(TYPE, { ...event, id: 'exposure_2' });
    await eventually(() => seen.includes('exposure_2'), 'the other event arrives');
  } finally {
    await second.stop();
  }
  assert.deepEqual(seen, ['exposure_1', 'exposure_2']);
});
