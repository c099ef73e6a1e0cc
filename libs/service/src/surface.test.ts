import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { WebhookServiceDefinition } from '@talaria/contracts/webhook/v1/webhook';
import { badRequest, hasCode } from '@talaria/errors';
import { createPlatform } from '@talaria/testing';
import type { ServerMiddleware } from '@talaria/rpc';

const as = { id: 'user_1', scopes: ['accounts:read', 'accounts:write'] };
const handlers = { createAccount: async () => ({}), getAccount: async () => ({}), listAccounts: async () => ({ accounts: [] }) };
const noting = (name: string, order: string[]): ServerMiddleware =>
  async function* (call, context) {
    order.push(name);
    return yield* call.next(call.request, context);
  };

describe('middleware of a service', () => {
  test('is listed outermost first, runs in that order, around all contracts or one', async () => {
    const platform = await createPlatform();
    const order: string[] = [];
    const service = platform.service({ name: 'service.account' });
    service.use(noting('a', order), { name: 'a' }).use(noting('b', order), { name: 'b' }).use(noting('first', order), { name: 'first', before: 'telemetry' });
    service.add(AccountServiceDefinition, handlers, { middleware: [noting('own', order), noting('innermost', order)] });
    assert.deepEqual(service.middleware(), ['first', 'telemetry', 'priority', 'authentication', 'validation', 'a', 'b']);
    await platform.start();
    await platform.client(AccountServiceDefinition, { as }).listAccounts({});
    assert.deepEqual(order, ['first', 'a', 'b', 'own', 'innermost']);
    await platform.stop();
  });

  test('can be added while the service runs, from the next call on', async () => {
    const platform = await createPlatform();
    const order: string[] = [];
    const service = platform.service({ name: 'service.account' }).add(AccountServiceDefinition, handlers);
    await platform.start();
    const client = platform.client(AccountServiceDefinition, { as });
    await client.listAccounts({});
    service.use(noting('late', order));
    await client.listAccounts({});
    assert.deepEqual(order, ['late']);
    await platform.stop();
  });

  test("can take the place of the platform's own", async () => {
    const platform = await createPlatform();
    const service = platform.service({ name: 'service.account' }).add(AccountServiceDefinition, handlers);
    await platform.start();
    const client = platform.client(AccountServiceDefinition, { as });
    const invalid = { pageSize: -1, description: 'x'.repeat(10_000) };
    await assert.rejects(client.createAccount(invalid), (error) => hasCode(error, 'bad_request'));
    service.use(
      async function* strict(call, context) {
        if (call.method.path.endsWith('/GetAccount')) throw badRequest('strict', 'Nothing is good enough.');
        return yield* call.next(call.request, context);
      },
      { replaces: 'validation' },
    );
    assert.deepEqual(service.middleware(), ['telemetry', 'priority', 'authentication', 'strict']);
    await client.createAccount(invalid);
    await assert.rejects(client.getAccount({ id: 'acc_1' }), (error) => hasCode(error, 'bad_request.strict'));
    assert.throws(() => service.use(noting('x', []), { replaces: 'validation' }), { name: 'WiringError', message: /There is no middleware "validation"/ });
    await platform.stop();
  });
});

describe('the methods of a service', () => {
  test('are listed with all that their contract says', async () => {
    const platform = await createPlatform();
    const service = platform.service({ name: 'service.account' });
    assert.deepEqual(service.methods(), []);
    service.add(AccountServiceDefinition, handlers);
    assert.deepEqual(service.method('account.v1.AccountService/GetAccount'), {
      contract: 'account.v1.AccountService',
      name: 'GetAccount',
      path: '/account.v1.AccountService/GetAccount',
      kind: 'unary',
      access: { kind: 'principal', scopes: ['accounts:read'] },
      idempotency: 'no_side_effects',
      deadlineMs: undefined,
    });
    assert.equal(service.method('/account.v1.AccountService/CreateAccount')?.idempotency, 'unknown');
    assert.equal(service.method('account.v1.AccountService/CloseAccount'), undefined);
    assert.equal(service.method('GetAccount'), undefined);

    const text = { requestSerialize: Buffer.from, requestDeserialize: String, responseSerialize: Buffer.from, responseDeserialize: String };
    const streams = Object.fromEntries(
      [true, false].flatMap((requestStream) =>
        [true, false].map((responseStream) => [`a${requestStream}${responseStream}`, { ...text, path: `/test.Streams/A${requestStream}${responseStream}`, requestStream, responseStream, options: { deadlineMs: 1_500 } }]),
      ),
    );
    service.add(streams as never, Object.fromEntries(Object.keys(streams).map((key) => [key, async () => ''])) as never);
    assert.deepEqual(
      service.methods().map(({ name, kind, deadlineMs }) => [name, kind, deadlineMs]),
      [
        ['CreateAccount', 'unary', undefined],
        ['GetAccount', 'unary', undefined],
        ['ListAccounts', 'unary', undefined],
        ['Atruetrue', 'bidi_streaming', 1_500],
        ['Atruefalse', 'client_streaming', 1_500],
        ['Afalsetrue', 'server_streaming', 1_500],
        ['Afalsefalse', 'unary', 1_500],
      ],
    );
    assert.deepEqual(service.method('test.Streams/Atruetrue')?.access, { kind: 'services', names: undefined, edges: false });
    await service.remove(AccountServiceDefinition);
    assert.equal(service.method('account.v1.AccountService/GetAccount'), undefined);
    await platform.stop();
  });
});

test('a text with U+0000 is refused with its field, in every contract', async () => {
  const platform = await createPlatform();
  let handled = 0;
  const count = async (): Promise<object> => {
    handled++;
    return {};
  };
  const service = platform.service({ name: 'service.all' }).add(AccountServiceDefinition, { ...handlers, createAccount: count });
  service.add(WebhookServiceDefinition, { createWebhook: count, getWebhook: count, listWebhooks: count, deleteWebhook: count });
  await platform.start();
  const accounts = platform.client(AccountServiceDefinition, { as });
  await assert.rejects(accounts.createAccount({ description: 'a\0b' }), (error: unknown) => {
    assert.ok(hasCode(error, 'bad_request.invalid_param'));
    assert.deepEqual((error as { params?: unknown }).params, { param: 'description' });
    assert.deepEqual((error as { violations?: unknown }).violations, [{ field: 'description', description: 'holds the character U+0000' }]);
    return true;
  });
  const webhooks = platform.client(WebhookServiceDefinition, { caller: 'api.webhook' });
  await assert.rejects(webhooks.getWebhook({ id: 'webhook_\0' }), (error) => hasCode(error, 'bad_request.invalid_param') && /: id holds/.test((error as Error).message));
  assert.equal(handled, 0);
  await platform.stop();
});
