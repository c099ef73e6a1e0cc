import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { ServiceError } from '@talaria/errors';
import { createPlatform, type TestPlatform } from '@talaria/testing';
import type { Client } from '@talaria/rpc';

const LIST = 'account.v1.AccountService/ListAccounts';

interface Scene {
  readonly platform: TestPlatform;
  readonly accounts: Client<AccountServiceDefinition>;
  calls(): number;
}

/** A service that calls another one; `policy` is what its contract says of ListAccounts. */
async function scene(policy: object = {}): Promise<Scene> {
  const platform = await createPlatform();
  const { methods } = AccountServiceDefinition;
  const definition = { ...AccountServiceDefinition, methods: { ...methods, listAccounts: { ...methods.listAccounts, options: { ...methods.listAccounts.options, policy } } } } as unknown as AccountServiceDefinition;
  let calls = 0;
  platform.service({ name: 'service.account' }).add(AccountServiceDefinition, {
    createAccount: () => assert.fail(),
    getAccount: () => assert.fail(),
    async listAccounts() {
      calls++;
      return { accounts: [] };
    },
  });
  const caller = platform.service({ name: 'service.caller' });
  await platform.start();
  const passport = await platform.passport({ id: 'user_1', scopes: ['accounts:read'] });
  const accounts = caller.client(definition, {
    middleware: async function* (call, options) {
      options.metadata?.set('x-talaria-passport', passport);
      return yield* call.next(call.request, options);
    },
  });
  return { platform, accounts, calls: () => calls };
}

const fails = async (call: Promise<unknown>, code: string): Promise<ServiceError> => {
  const error = await call.then(() => assert.fail(`it should fail with ${code}`), (thrown: unknown) => thrown);
  assert.ok(error instanceof ServiceError, String(error));
  assert.equal(error.code, code);
  return error;
};

test('call.policies changes how others are called, from the next call on, the most specific first', async () => {
  const { platform, accounts, calls } = await scene();
  await accounts.listAccounts({});
  platform.config.set('service/service.caller', { 'call.policies': { '*': { breaker: { mode: 'open' } } } });
  const { message } = await fails(accounts.listAccounts({}), 'unavailable.circuit_open');
  assert.match(message, /ListAccounts are switched off: its breaker is open in the live setting call\.policies/);
  platform.config.set('service/service.caller', { 'call.policies': { '*': { breaker: { mode: 'open' } }, [LIST]: { breaker: { mode: 'auto' } } } });
  await accounts.listAccounts({});
  platform.config.set('service/service.caller', { 'call.policies': { 'account.v1.AccountService': { rate: { per_second: 0.001 } } } });
  await accounts.listAccounts({});
  const { retryAfterMs } = await fails(accounts.listAccounts({}), 'rate_limited.client');
  assert.ok(retryAfterMs !== undefined && retryAfterMs > 0);
  platform.config.set('service/service.caller', { 'call.policies': undefined });
  await accounts.listAccounts({});
  assert.equal(calls(), 4);
  await platform.stop();
});

test('what the contract says holds until a live setting says otherwise', async () => {
  const { platform, accounts } = await scene({ rate: { per_second: 0.001 } });
  await accounts.listAccounts({});
  await fails(accounts.listAccounts({}), 'rate_limited.client');
  platform.config.set('global', { 'call.policies': { [LIST]: { rate: { per_second: 0 } } } });
  for (let call = 0; call < 5; call++) await accounts.listAccounts({});
  await platform.stop();
});

test('what is no policy changes nothing, and is told', async () => {
  const { platform, accounts } = await scene();
  await accounts.listAccounts({});
  for (const [wrong, why] of [
    [{ '*': { breaker: { mode: 'shut' } } }, /use auto, open \(refuse all calls\) or closed/],
    [{ '*': { brake: {} } }, /brake/],
    [{ 'no method': {} }, /use a contract or a method/],
    [{ '*': { retry: { attempts: 0 } } }, /attempts/],
    [{ '*': { attempt_timeout: 'soon' } }, /use auto, none or a time such as 50ms or 1s/],
    [{ [LIST]: { budget: { ratio: 1 } } }, /set it for the contract or for \*/],
    [{ [LIST]: { ejection: { enabled: false } } }, /set it for the contract or for \*/],
    [{ '*': { ejection: { base: 'long' } } }, /base/],
    [[], /call\.policies/],
  ] as const) {
    platform.config.set('global', { 'call.policies': wrong });
    await accounts.listAccounts({});
    const caller = JSON.stringify([...platform.config.applied.values()]);
    assert.match(caller, why, JSON.stringify(wrong));
  }
  platform.config.set('global', { 'call.policies': { '*': { retry: { attempts: 2, backoff: '20ms', max_backoff: 500 }, hedge: { enabled: false, after: '50ms' }, breaker: { mode: 'closed', k: 1.5 }, attempt_timeout: 'none', rate: { per_second: 1_000, burst: 10, wait: true, max_waiting: 5 }, budget: { ratio: 0.1, per_second: 1 }, ejection: { enabled: true, consecutive_failures: 3, slow_factor: 2, slow_by: '50ms', silent: '1s', base: '2s', max: '1m' } } } });
  await accounts.listAccounts({});
  await platform.stop();
});
