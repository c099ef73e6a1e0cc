import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { WebhookServiceDefinition } from '@talaria/contracts/webhook/v1/webhook';
import { notFound, principal } from '@talaria/service';
import { call, fake } from '@talaria/testing';
import { webhookApiHandlers } from './webhook-api-handlers.ts';

const url = 'https://example.com';
const webhook = { id: 'webhook_1', accountId: 'user_ann', url, secret: 'whsec_x' };
const ann = { principal: 'user_ann' };
const bob = { principal: 'user_bob' };

/** Accounts that are named after their owners. */
const accounts = fake(AccountServiceDefinition, {
  async getAccount({ id }) {
    if (id !== principal().id) throw notFound('account', 'None.');
    return { account: { id } };
  },
});

test('a webhook is registered and listed for the principal of its account only', async () => {
  const webhooks = fake(WebhookServiceDefinition, { createWebhook: async () => ({ webhook }), listWebhooks: async () => ({ webhooks: [{ ...webhook, secret: '' }] }) });
  const handlers = webhookApiHandlers({ accounts, webhooks });
  assert.deepEqual(await call(handlers.registerWebhook, { accountId: 'user_ann', url }, ann), { webhook });
  assert.deepEqual(await call(handlers.listWebhooks, { accountId: 'user_ann' }, ann), { webhooks: [{ id: 'webhook_1', accountId: 'user_ann', url }] });
  await assert.rejects(call(handlers.registerWebhook, { accountId: 'user_ann', url }, bob), { code: 'not_found.account' });
  await assert.rejects(call(handlers.listWebhooks, { accountId: 'user_ann' }, bob), { code: 'not_found.account' });
  assert.deepEqual(webhooks.calls.filter(({ method }) => method === 'createWebhook').length, 1, "none was created for another's account");
});

test("a webhook is deleted by the principal of its account only; for others it is as if there were none", async () => {
  const webhooks = fake(WebhookServiceDefinition, {
    async getWebhook({ id }) {
      if (id !== webhook.id) throw notFound('webhook', 'None.');
      return { webhook };
    },
    deleteWebhook: async () => ({}),
  });
  const handlers = webhookApiHandlers({ accounts, webhooks });
  await assert.rejects(call(handlers.deleteWebhook, { id: 'webhook_1' }, bob), { code: 'not_found.webhook', params: { id: 'webhook_1' } });
  await assert.rejects(call(handlers.deleteWebhook, { id: 'webhook_none' }, ann), { code: 'not_found.webhook' });
  assert.ok(webhooks.calls.every(({ method }) => method === 'getWebhook'));
  await call(handlers.deleteWebhook, { id: 'webhook_1' }, ann);
  assert.deepEqual(webhooks.calls.at(-1), { method: 'deleteWebhook', request: { id: 'webhook_1' } });
});
