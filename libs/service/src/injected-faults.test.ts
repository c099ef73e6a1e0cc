import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger, type Logger } from '@talaria/base';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { ServiceError } from '@talaria/errors';
import type { Client } from '@talaria/rpc';
import { createPlatform, type TestPlatform } from '@talaria/testing';
import type { Service } from './types.ts';

const ALLOW = { TALARIA_FAULTS: 'allow' };
const LIST = 'account.v1.AccountService/ListAccounts';

interface Scene {
  readonly platform: TestPlatform;
  readonly server: Service;
  readonly caller: Service;
  readonly accounts: Client<AccountServiceDefinition>;
  readonly warnings: readonly string[];
}

/** `service.caller`, which calls `service.account`. */
async function scene(env: Readonly<Record<string, string>>, listen: 'inproc' | 'h2c' = 'inproc'): Promise<Scene> {
  const warnings: string[] = [];
  const log: Logger = { ...silentLogger, warn: (message) => void warnings.push(message), with: () => log };
  const platform = await createPlatform({ env, log, listen });
  const server = platform.service({ name: 'service.account' }).add(AccountServiceDefinition, {
    createAccount: () => assert.fail(),
    getAccount: () => assert.fail(),
    listAccounts: async () => ({ accounts: [] }),
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
  return { platform, server, caller, accounts, warnings };
}

const failureOf = async ({ accounts }: Scene): Promise<ServiceError | undefined> => {
  try {
    await accounts.listAccounts({});
    return undefined;
  } catch (error) {
    assert.ok(error instanceof ServiceError, String(error));
    return error;
  }
};
const checkerOf = async (service: Service, wanted: string): Promise<string | undefined> => {
  const found = (await service.health.check()).find(({ name }) => name === wanted);
  return found && JSON.stringify(found);
};

describe('faults.rules', { timeout: 60_000 }, () => {
  for (const listen of ['inproc', 'h2c'] as const) {
    it(`${listen}: breaks calls as client and as server, from the next call on until it is unset`, async () => {
      const made = await scene(ALLOW, listen);
      const { platform, server, caller } = made;
      try {
        assert.equal(await failureOf(made), undefined);
        for (const [service, side] of [
          [caller, 'client'],
          [server, 'server'],
        ] as const) {
          platform.config.set(`service/${service.name}`, { 'faults.rules': [{ id: `${side}-down`, side, method: LIST, fault: { error: { code: 'UNAVAILABLE' } } }] });
          const error = await failureOf(made);
          assert.equal(error?.code, 'unavailable.injected_fault');
          assert.equal(error.params['fault'], `${side}-down`);
          assert.match((await checkerOf(service, 'faults')) ?? '', /"ok":false.*UNAVAILABLE for 100%/);
          assert.equal(service.health.well, true);
          platform.config.set(`service/${service.name}`, { 'faults.rules': undefined });
          assert.equal(await failureOf(made), undefined);
          assert.match((await checkerOf(service, 'faults')) ?? '', /"ok":true/);
        }
      } finally {
        await platform.stop();
      }
    });
  }

  it('knows who calls by the token that it sends', async () => {
    const made = await scene(ALLOW);
    try {
      const set = (caller: string): bigint => made.platform.config.set('service/service.account', { 'faults.rules': [{ side: 'server', caller, fault: { error: { code: 'UNAVAILABLE' } } }] });
      set('service.other');
      assert.equal(await failureOf(made), undefined);
      set('service.caller');
      assert.equal((await failureOf(made))?.code, 'unavailable.injected_fault');
    } finally {
      await made.platform.stop();
    }
  });

  it('is refused where the environment does not allow it: nothing breaks, and health says what to do', async () => {
    const made = await scene({});
    try {
      for (const side of ['client', 'server']) made.platform.config.set('global', { 'faults.rules': [{ side, fault: { blackhole: true } }] });
      assert.equal(await failureOf(made), undefined);
      assert.match((await checkerOf(made.server, 'config')) ?? '', /faults\.rules.*start the service with TALARIA_FAULTS=allow/);
      assert.equal(await checkerOf(made.server, 'faults'), undefined);
    } finally {
      await made.platform.stop();
    }
  });

  it('warns once at each change', async () => {
    const made = await scene(ALLOW);
    try {
      made.platform.config.set('service/service.account', { 'faults.rules': [{ id: 'slow', side: 'server', fault: { delay: '1ms' } }] });
      await failureOf(made);
      await failureOf(made);
      made.platform.config.set('service/service.account', { 'faults.rules': [] });
      assert.deepEqual(
        made.warnings.filter((message) => /[Ff]aults/.test(message)),
        ['Faults are injected into calls, on purpose: slow: delay of 1 ms for 100% of the calls served here of everything', 'No faults are injected any more'],
      );
    } finally {
      await made.platform.stop();
    }
  });

  it('can be allowed by one word only', async () => {
    const platform = await createPlatform({ env: { TALARIA_FAULTS: 'yes' } });
    const service = platform.service({ name: 'service.account' });
    await assert.rejects(service.start(), /TALARIA_FAULTS/);
    await platform.stop();
  });
});
