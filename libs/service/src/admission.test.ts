import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TransactionServiceDefinition } from '@talaria/contracts/transaction/v1/transaction';
import { WebhookServiceDefinition } from '@talaria/contracts/webhook/v1/webhook';
import { hasCode, ServiceError } from '@talaria/errors';
import { createPlatform, type TestPlatform } from '@talaria/testing';
import type { ServerMiddleware } from '@talaria/rpc';

describe('what a call has to pass before its handler runs', () => {
  let platform: TestPlatform;
  let handled = 0;
  const order: string[] = [];
  const noting =
    (name: string): ServerMiddleware =>
    async function* (call, context) {
      order.push(name);
      return yield* call.next(call.request, context);
    };
  const as = { id: 'user_1', scopes: ['transactions:write', 'transactions:read'] };
  const valid = { accountId: 'acc_1', amount: -520n, currency: 'GBP' };

  before(async () => {
    platform = await createPlatform();
    const service = platform.service({ name: 'service.all' });
    service.use(noting('for all'));
    service.add(
      TransactionServiceDefinition,
      {
        async recordTransaction() {
          handled++;
          return {};
        },
        async getTransaction() {
          handled++;
          return {};
        },
        async listTransactions() {
          handled++;
          return {};
        },
      },
      { middleware: noting('for one') },
    );
    const none = async (): Promise<object> => {
      handled++;
      return {};
    };
    service.add(WebhookServiceDefinition, { createWebhook: none, getWebhook: none, listWebhooks: none, deleteWebhook: none });
    await platform.start();
  });
  after(() => platform.stop());

  test('a method without a rule is for services only', async () => {
    handled = 0;
    const request = { id: 'webhook_1', principalId: 'user_1' };
    await assert.rejects(platform.client(WebhookServiceDefinition, { caller: 'api.gateway', edge: true }).getWebhook(request), (error) => hasCode(error, 'forbidden.caller'));
    assert.equal(handled, 0);
    await platform.client(WebhookServiceDefinition, { caller: 'api.webhook' }).getWebhook(request);
    assert.equal(handled, 1);
  });

  test('a request that breaks rules is refused with each field and why', async () => {
    handled = 0;
    const client = platform.client(TransactionServiceDefinition, { as });
    await assert.rejects(client.recordTransaction({ ...valid, currency: 'pounds', description: 'x'.repeat(501) }), (error: unknown) => {
      assert.ok(error instanceof ServiceError);
      assert.equal(error.code, 'bad_request.invalid_param');
      assert.deepEqual(error.violations.map(({ field }) => field).sort(), ['currency', 'description']);
      assert.ok(error.violations.every(({ description }) => description.length > 0));
      return true;
    });
    await assert.rejects(client.recordTransaction({ ...valid, amount: 2n ** 60n }), (error) => hasCode(error, 'bad_request.invalid_param'));
    assert.equal(handled, 0);
  });

  test('a parameter that is missing is called so, by its name in the contract', async () => {
    const client = platform.client(TransactionServiceDefinition, { as });
    await assert.rejects(client.recordTransaction({ amount: 1n, currency: 'GBP' }), (error: unknown) => {
      assert.ok(error instanceof ServiceError);
      assert.equal(error.code, 'bad_request.missing_param');
      assert.deepEqual(error.params, { param: 'account_id' });
      return true;
    });
  });

  test('who may not call learns nothing of what is wrong with the request', async () => {
    await assert.rejects(platform.client(TransactionServiceDefinition, { as: { id: 'user_1', scopes: [] } }).recordTransaction({}), (error) => hasCode(error, 'forbidden.scope'));
  });

  test('own middleware runs after all that, that for all contracts first', async () => {
    order.length = 0;
    await assert.rejects(platform.client(TransactionServiceDefinition, { as }).recordTransaction({}));
    assert.deepEqual(order, []);
    await platform.client(TransactionServiceDefinition, { as }).recordTransaction(valid);
    assert.deepEqual(order, ['for all', 'for one']);
  });
});
