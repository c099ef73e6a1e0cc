import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trace, TraceFlags } from '@opentelemetry/api';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { currentCall, timeRemaining } from '@talaria/context';
import { createPlatform, type TestPlatform } from '@talaria/testing';
import type { Client } from '@talaria/rpc';

const MINUTE = 60_000;
const LIST = 'account.v1.AccountService/ListAccounts';

interface Scene {
  readonly platform: TestPlatform;
  readonly accounts: Client<AccountServiceDefinition>;
  /** What the handler saw of the last call: what was left of its deadline, and whether its trace is sampled. */
  readonly seen: { left: number; sampled: boolean };
}

/** A service that calls another one. */
async function scene(handle: () => void | Promise<void> = () => {}): Promise<Scene> {
  const platform = await createPlatform();
  const seen = { left: NaN, sampled: false };
  platform.service({ name: 'service.account' }).add(AccountServiceDefinition, {
    createAccount: () => assert.fail(),
    getAccount: () => assert.fail(),
    async listAccounts() {
      seen.left = timeRemaining() ?? Infinity;
      seen.sampled = ((trace.getActiveSpan()?.spanContext().traceFlags ?? 0) & TraceFlags.SAMPLED) !== 0;
      await handle();
      return { accounts: [] };
    },
  });
  const caller = platform.service({ name: 'service.caller' });
  await platform.start();
  const passport = await platform.passport({ id: 'user_1', scopes: ['accounts:read'] });
  const accounts = caller.client(AccountServiceDefinition, {
    middleware: async function* (call, options) {
      options.metadata?.set('x-talaria-passport', passport);
      return yield* call.next(call.request, options);
    },
  });
  return { platform, accounts, seen };
}

test('call.deadlines bounds calls as clients and as servers, shorter or longer, from the next call on', async () => {
  const { platform, accounts, seen } = await scene();
  await accounts.listAccounts({});
  assert.ok(seen.left <= 10_000, String(seen.left));
  platform.config.set('global', { 'call.deadlines': { [LIST]: '10m' } });
  await accounts.listAccounts({});
  assert.ok(seen.left > 5 * MINUTE && seen.left <= 10 * MINUTE, String(seen.left));
  // The server alone: whatever its client wants.
  platform.config.set('service/service.account', { 'call.deadlines': { 'account.v1.AccountService': '2m' } });
  await accounts.listAccounts({});
  assert.ok(seen.left > MINUTE && seen.left <= 2 * MINUTE, String(seen.left));
  platform.config.set('service/service.account', { 'call.deadlines': undefined });
  platform.config.set('global', { 'call.deadlines': undefined });
  await accounts.listAccounts({});
  assert.ok(seen.left <= 10_000, String(seen.left));
  await platform.stop();
});

test('a deadline of call.deadlines ends the call at both sides', async () => {
  const ended = Promise.withResolvers<void>();
  const { platform, accounts } = await scene(() => new Promise((_, reject) => currentCall().signal?.addEventListener('abort', () => (ended.resolve(), reject(new Error('too late'))))));
  platform.config.set('service/service.account', { 'call.deadlines': { [LIST]: 30 } });
  await assert.rejects(accounts.listAccounts({}, { timeoutMs: 10 * MINUTE } as never), { code: 'timeout.deadline' });
  await ended.promise;
  await platform.stop();
});

test('what is no deadline changes nothing', async () => {
  const { platform, accounts, seen } = await scene();
  platform.config.set('global', { 'call.deadlines': { [LIST]: '10m' } });
  for (const wrong of [{ [LIST]: 'soon' }, { [LIST]: -1 }, { [LIST]: 0 }, { 'no method': '1s' }, [], '1s']) {
    platform.config.set('global', { 'call.deadlines': wrong });
    await accounts.listAccounts({});
    assert.ok(seen.left > 5 * MINUTE, JSON.stringify(wrong));
  }
  await platform.stop();
});

test('telemetry.sampling decides about the traces that a service begins, and no others', async () => {
  const { platform, accounts, seen } = await scene();
  await accounts.listAccounts({});
  assert.equal(seen.sampled, true);
  platform.config.set('service/service.caller', { 'telemetry.sampling': 0 });
  await accounts.listAccounts({});
  assert.equal(seen.sampled, false);
  platform.config.set('service/service.caller', { 'telemetry.sampling': 1 });
  platform.config.set('service/service.account', { 'telemetry.sampling': 0 });
  await accounts.listAccounts({});
  assert.equal(seen.sampled, true);
  await platform.stop();
});
