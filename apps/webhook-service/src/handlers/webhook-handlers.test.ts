import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Webhook } from '@talaria/contracts/webhook/v1/webhook';
import { badRequest } from '@talaria/service';
import { call } from '@talaria/testing';
import { type WebhookStorage } from '../storage/index.ts';
import { webhookHandlers } from './webhook-handlers.ts';

const url = 'https://example.com/hook';

/** Webhooks in memory. */
function fakeStorage(): Pick<WebhookStorage, 'create' | 'get' | 'list' | 'delete'> {
  const all = new Map<string, Webhook>();
  return {
    async create(accountId, to, secret) {
      const webhook = { id: `webhook_${all.size + 1}`, accountId, url: to, secret };
      all.set(webhook.id, webhook);
      return webhook;
    },
    get: async (id) => all.get(id),
    list: async (accountId) => [...all.values()].filter((webhook) => webhook.accountId === accountId),
    async delete(id) {
      all.delete(id);
    },
  };
}

const open = { checkUrl: async () => {} };
const handlersOf = (http: Parameters<typeof webhookHandlers>[1] = open): ReturnType<typeof webhookHandlers> => webhookHandlers(fakeStorage() as WebhookStorage, http);

test('a webhook has a secret of its own, and can be read, listed and deleted', async () => {
  const handlers = handlersOf();
  const [one, other] = [await call(handlers.createWebhook, { accountId: 'acc_1', url }), await call(handlers.createWebhook, { accountId: 'acc_2', url })];
  assert.match(one.webhook?.secret ?? '', /^whsec_/);
  assert.notEqual(one.webhook?.secret, other.webhook?.secret);
  const id = one.webhook?.id ?? '';
  assert.deepEqual(await call(handlers.getWebhook, { id }), one);
  assert.deepEqual(await call(handlers.listWebhooks, { accountId: 'acc_1' }), { webhooks: [one.webhook] });
  await call(handlers.deleteWebhook, { id });
  await assert.rejects(call(handlers.getWebhook, { id }), { code: 'not_found.webhook', params: { id } });
});

test('a URL that must not be called is refused before anything is kept', async () => {
  const handlers = handlersOf({
    async checkUrl() {
      throw badRequest('invalid_param', 'url must not lead to a private address.');
    },
  });
  await assert.rejects(call(handlers.createWebhook, { accountId: 'acc_1', url: 'http://10.0.0.1' }), { code: 'bad_request.invalid_param' });
  assert.deepEqual(await call(handlers.listWebhooks, { accountId: 'acc_1' }), { webhooks: [] });
});
