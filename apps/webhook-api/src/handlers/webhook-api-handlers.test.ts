import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { WebhookApiServiceDefinition } from '@talaria/contracts/webhook/api/v1/webhook_api';
import { WebhookServiceDefinition, type Webhook } from '@talaria/contracts/webhook/v1/webhook';
import { notFound, principal } from '@talaria/service';
import { createPlatform } from '@talaria/testing';
import { webhookApiHandlers } from './webhook-api-handlers.ts';

const scopes = ['accounts:read', 'webhooks:read', 'webhooks:write'];

test('a webhook is seen, and deleted, by the principal of its account only', async (t) => {
  const platform = await createPlatform();
  t.after(() => platform.stop());
  const kept = new Map<string, Webhook>();
  // Accounts are named after their owners here.
  const getAccount = async ({ id }: { id: string }): Promise<{ account: { id: string } }> => {
    if (id !== principal().id) throw notFound('account', 'None.');
    return { account: { id } };
  };
  platform.service({ name: 'service.account' }).add(AccountServiceDefinition, { getAccount, createAccount: async () => ({}), listAccounts: async () => ({}) });
  platform.service({ name: 'service.webhook' }).add(WebhookServiceDefinition, {
    async createWebhook({ accountId, url }) {
      const webhook = { id: `webhook_${kept.size}`, accountId, url, secret: 'whsec_x' };
      kept.set(webhook.id, webhook);
      return { webhook };
    },
    async getWebhook({ id }) {
      const webhook = kept.get(id);
      if (!webhook) throw notFound('webhook', 'None.');
      return { webhook };
    },
    listWebhooks: async () => ({ webhooks: [...kept.values()].map((webhook) => ({ ...webhook, secret: '' })) }),
    async deleteWebhook({ id }) {
      kept.delete(id);
      return {};
    },
  });
  const api = platform.service({ name: 'api.webhook' });
  api.add(WebhookApiServiceDefinition, webhookApiHandlers({ accounts: api.client(AccountServiceDefinition), webhooks: api.client(WebhookServiceDefinition) }));
  await platform.start();
  const [ann, bob] = (['user_ann', 'user_bob'] as const).map((id) => platform.client(WebhookApiServiceDefinition, { as: { id, scopes } }));
  assert.ok(ann && bob);

  const { webhook } = await ann.registerWebhook({ accountId: 'user_ann', url: 'https://example.com' });
  assert.equal(webhook?.secret, 'whsec_x');
  const { webhooks } = await ann.listWebhooks({ accountId: 'user_ann' });
  assert.deepEqual(webhooks, [{ id: 'webhook_0', accountId: 'user_ann', url: 'https://example.com', secret: undefined }]);
  await assert.rejects(bob.registerWebhook({ accountId: 'user_ann', url: 'https://example.com' }), { code: 'not_found.account' });
  await assert.rejects(bob.listWebhooks({ accountId: 'user_ann' }), { code: 'not_found.account' });
  await assert.rejects(bob.deleteWebhook({ id: 'webhook_0' }), { code: 'not_found.webhook' });
  await assert.rejects(ann.deleteWebhook({ id: 'webhook_none' }), { code: 'not_found.webhook' });
  assert.equal(kept.size, 1);
  await ann.deleteWebhook({ id: 'webhook_0' });
  assert.equal(kept.size, 0);
});
