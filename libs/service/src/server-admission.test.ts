import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { baggageKey } from '@talaria/context';
import { AccountServiceDefinition, type AccountServiceImplementation } from '@talaria/contracts/account/v1/account';
import { HealthCheckResponse_ServingStatus, HealthDefinition } from '@talaria/contracts/health/v1/health';
import { WebhookServiceDefinition } from '@talaria/contracts/webhook/v1/webhook';
import { hasCode, ServiceError } from '@talaria/errors';
import { createConnector, grpcTransport, staticResolver } from '@talaria/rpc';
import { createPlatform, type TestPlatform } from '@talaria/testing';

const LIST = 'account.v1.AccountService/ListAccounts';
const as = { id: 'user_1', scopes: ['accounts:read'] };
const priority = baggageKey('talaria-priority');

const accounts = (listAccounts: () => Promise<object>): AccountServiceImplementation => ({ createAccount: () => assert.fail(), getAccount: () => assert.fail(), listAccounts });

/** As contracts say it, without generating one. */
function withOptions<D extends object>(definition: D, method: string, options: object): D {
  const { methods } = definition as unknown as { methods: Record<string, { options: object }> };
  return { ...definition, methods: { ...methods, [method]: { ...methods[method], options: { ...methods[method]?.options, ...options } } } };
}

const fails = async (call: Promise<unknown>, code: string): Promise<ServiceError> => {
  const error = await call.then(() => assert.fail(`it should fail with ${code}`), (thrown: unknown) => thrown);
  assert.ok(error instanceof ServiceError && hasCode(error, code), String(error));
  return error;
};

for (const listen of ['inproc', 'h2c'] as const) {
  describe(`what a server takes, over ${listen}`, () => {
    const served = async (list: () => Promise<object>, options: object = {}): Promise<{ platform: TestPlatform; address: string }> => {
      const platform = await createPlatform({ listen });
      const service = platform.service({ name: 'service.account' });
      service.add(withOptions(AccountServiceDefinition, 'listAccounts', options), accounts(list));
      await platform.start();
      return { platform, address: service.address as string };
    };

    test('is bounded in flight: critical calls still get in, and so do probes; the others are told when to come back', async () => {
      const gate = Promise.withResolvers<void>();
      let running = 0;
      const { platform, address } = await served(async () => {
        running++;
        await gate.promise;
        return { accounts: [] };
      });
      platform.config.set('service/service.account', { 'server.admission': { min: 1, max: 2 } });
      const client = platform.client(AccountServiceDefinition, { as, caller: 'service.b' });
      const held = [1, 2, 3].map(() => client.listAccounts({}));
      /** Until so many run; what is refused meanwhile fails the test. */
      const run = async (count: number): Promise<void> => {
        while (running < count) await Promise.race([...held.map((call) => call.then(() => assert.fail('it was not held'))), new Promise(setImmediate)]);
      };
      await run(3);
      const { retryAfterMs, message } = await fails(client.listAccounts({}), 'rate_limited.overload');
      assert.ok(retryAfterMs !== undefined && retryAfterMs > 0);
      assert.match(message, /more to do than it can/);
      assert.equal(running, 3, 'it was not executed');
      held.push(priority.run('critical', () => client.listAccounts({})));
      await run(4);
      if (listen === 'h2c') {
        const probe = createConnector({ resolver: staticResolver({ [HealthDefinition.fullName]: [address] }), transports: [grpcTransport()], picker: () => ({ pick: ([first]) => first as NonNullable<typeof first> }) });
        for (let check = 0; check < 20; check++) assert.equal((await probe.client(HealthDefinition).check({ service: '' })).status, HealthCheckResponse_ServingStatus.SERVING);
        await probe.close();
      }
      gate.resolve();
      await Promise.all(held);
      await client.listAccounts({});
      await platform.stop();
    });

    test('is bounded a second, by caller and live', async () => {
      const { platform } = await served(async () => ({ accounts: [] }), { limits: { rate: { per_second: 0.001, burst: 2 } } });
      const [b, c] = [platform.client(AccountServiceDefinition, { as, caller: 'service.b' }), platform.client(AccountServiceDefinition, { as, caller: 'service.c' })];
      // The first call of each comes with a token that is not verified yet.
      for (const client of [b, c]) for (let call = 0; call < 3; call++) if (client === b || call < 2) await client.listAccounts({});
      await fails(b.listAccounts({}), 'rate_limited.caller');
      platform.config.set('service/service.account', { 'server.limits': { [LIST]: { rate: { per_second: 10_000, burst: 100 }, callers: { 'service.b': { per_second: 0.001, burst: 1 } } } } });
      await b.listAccounts({});
      await fails(b.listAccounts({}), 'rate_limited.caller');
      for (let call = 0; call < 10; call++) await c.listAccounts({});
      platform.config.set('service/service.account', { 'server.limits': { [LIST]: { rate: { per_second: 0 } } } });
      for (let call = 0; call < 10; call++) await b.listAccounts({});
      await platform.stop();
    });
  });
}

test('a priority flows on: that of the contract, unless the call came with one', async () => {
  const platform = await createPlatform();
  const seen: (string | undefined)[] = [];
  const below = platform.service({ name: 'service.account' });
  below.add(
    AccountServiceDefinition,
    accounts(async () => {
      seen.push(priority.get());
      return { accounts: [] };
    }),
  );
  const service = platform.service({ name: 'service.webhook' });
  const nested = service.client(AccountServiceDefinition);
  const list = async (): Promise<object> => {
    await nested.listAccounts({});
    return { webhooks: [] };
  };
  const none = (): Promise<never> => assert.fail();
  service.add(withOptions(WebhookServiceDefinition, 'listWebhooks', { priority: 'sheddable' }), { createWebhook: none, getWebhook: list as never, listWebhooks: list, deleteWebhook: none });
  await platform.start();
  const client = platform.client(WebhookServiceDefinition, { as, caller: 'api.webhook' });
  await client.listWebhooks({ accountId: 'acc_1' });
  await priority.run('critical', () => client.listWebhooks({ accountId: 'acc_1' }));
  await client.getWebhook({ id: 'webhook_1' });
  assert.deepEqual(seen, ['sheddable', 'critical', undefined]);
  await platform.stop();
});

test('settings that cannot be meant are refused with what to write instead', async () => {
  const platform = await createPlatform();
  platform.service({ name: 'service.account' }).add(AccountServiceDefinition, accounts(async () => ({ accounts: [] })));
  await platform.start();
  for (const [wrong, why] of [
    [{ 'server.admission': { min: 10, max: 5 } }, /is above max/],
    [{ 'server.admission': { limit: 5 } }, /limit/],
    [{ 'server.limits': { 'not a method': {} } }, /use a contract or a method/],
    [{ 'server.limits': { [LIST]: { rate: { per_second: -1 } } } }, /per_second/],
  ] as const) {
    platform.config.set('global', wrong);
    assert.match(JSON.stringify([...platform.config.applied.values()]), why, JSON.stringify(wrong));
    platform.config.set('global', { 'server.admission': undefined, 'server.limits': undefined });
  }
  await platform.stop();
});
