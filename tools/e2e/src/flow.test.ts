import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { ask, eventually, login, openAccount, startReceiver, usePlatform, type Receiver } from './harness.ts';

const platform = usePlatform();
const receivers: Receiver[] = [];
after(() => Promise.all(receivers.map((receiver) => receiver.close())));
const receiver = async (status?: number): Promise<Receiver> => {
  const started = await startReceiver(status);
  receivers.push(started);
  return started;
};
const record = (token: string, accountId: string, dedupeId: string, amount: unknown = -520): ReturnType<typeof ask> =>
  ask(platform(), '/transactions', { token, json: { account_id: accountId, amount, currency: 'GBP', description: 'Coffee', dedupe_id: dedupeId } });

test('a transaction reaches the webhook, signed, once, and leaves other accounts alone', async () => {
  const token = await login(platform());
  const account = await openAccount(platform(), token);
  const other = await openAccount(platform(), token);
  const [hook, unrelated] = [await receiver(), await receiver()];
  const registered = await ask(platform(), '/webhooks', { token, form: { account_id: account, url: hook.url } });
  assert.equal(registered.status, 200, JSON.stringify(registered.body));
  const { webhook } = registered.body;
  assert.deepEqual(Object.keys(webhook).sort(), ['account_id', 'id', 'secret', 'url']);
  await ask(platform(), '/webhooks', { token, form: { account_id: other, url: unrelated.url } });
  const listed = await ask(platform(), `/webhooks?account_id=${account}`, { token });
  assert.deepEqual(listed.body, { webhooks: [{ id: webhook.id, account_id: account, url: hook.url }] });

  const { status, body } = await record(token, account, 'order-1');
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.transaction.amount, -520);
  assert.equal((await record(token, account, 'order-1')).body.transaction.id, body.transaction.id);
  assert.equal((await record(token, account, 'order-1', -521)).status, 409);

  await eventually(() => hook.received.length > 0);
  const [received] = hook.received;
  assert.ok(received);
  const event = new Webhook(webhook.secret).verify(received.body, received.headers as Record<string, string>);
  assert.deepEqual(event, { type: 'transaction.created', data: body.transaction });
  assert.equal(unrelated.received.length, 0);

  const page = await ask(platform(), `/transactions?account_id=${account}&limit=10`, { token });
  assert.deepEqual(page.body.transactions, [body.transaction]);
  assert.deepEqual((await ask(platform(), `/transactions/${body.transaction.id}`, { token })).body, body);
  assert.deepEqual((await ask(platform(), `/webhooks/${webhook.id}`, { token, method: 'DELETE' })).body, {});
  assert.deepEqual((await ask(platform(), `/webhooks?account_id=${account}`, { token })).body, { webhooks: [] });
  assert.equal(hook.received.length, 1);
});

test('a receiver that never answers delays nothing for another', async () => {
  const token = await login(platform());
  const account = await openAccount(platform(), token);
  const [dead, alive] = [await receiver(), await receiver()];
  dead.status = undefined;
  for (const { url } of [dead, alive]) await ask(platform(), '/webhooks', { token, form: { account_id: account, url } });
  for (let index = 0; index < 10; index++) assert.equal((await record(token, account, `order-${index}`)).status, 200);
  await eventually(() => new Set(alive.received.map(({ body }) => body)).size === 10);
  assert.equal(alive.received.length, 10);
});

test('a refused delivery is tried again with the same id', async () => {
  const token = await login(platform());
  const account = await openAccount(platform(), token);
  const hook = await receiver(503);
  await ask(platform(), '/webhooks', { token, form: { account_id: account, url: hook.url } });
  await record(token, account, 'again');
  await eventually(() => hook.received.length === 1);
  hook.status = 200;
  await eventually(() => hook.received.length === 2, { limitMs: 60_000 });
  assert.equal(hook.received[0]?.headers['webhook-id'], hook.received[1]?.headers['webhook-id']);
});

test('another principal sees nothing of it', async () => {
  const [mine, theirs] = [await login(platform()), await login(platform(), 'dev2')];
  const account = await openAccount(platform(), mine);
  const hook = await receiver();
  const { webhook } = (await ask(platform(), '/webhooks', { token: mine, form: { account_id: account, url: hook.url } })).body;
  const { transaction } = (await record(mine, account, 'mine')).body;
  for (const [path, options] of [
    [`/accounts/${account}`, {}],
    [`/transactions/${transaction.id}`, {}],
    [`/transactions?account_id=${account}`, {}],
    [`/webhooks?account_id=${account}`, {}],
    [`/webhooks/${webhook.id}`, { method: 'DELETE' }],
    ['/webhooks', { form: { account_id: account, url: hook.url } }],
    ['/transactions', { json: { account_id: account, amount: 1, currency: 'GBP' } }],
  ] as const) {
    const answer = await ask(platform(), path, { token: theirs, ...options });
    assert.equal(answer.status, 404, `${path}: ${JSON.stringify(answer.body)}`);
    assert.match(answer.body.code, /^not_found\./);
  }
  assert.equal((await ask(platform(), `/webhooks?account_id=${account}`, { token: mine })).body.webhooks.length, 1);
  assert.equal((await ask(platform(), `/transactions?account_id=${account}`, { token: mine })).body.transactions.length, 1);
});
