import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { hasCode } from '@talaria/errors';
import { currentCall } from '@talaria/context';
import { createPlatform } from './platform.ts';

const account = (id: string) => ({ account: { id, description: '', created: new Date() } });

for (const listen of ['inproc', 'h2c'] as const) {
  test(`a service answers a client by its contract's name alone, over ${listen}`, async () => {
    const platform = await createPlatform({ listen });
    try {
      const service = platform.service({ name: 'service.account' });
      let seen: unknown;
      service.add(AccountServiceDefinition, {
        createAccount: async () => account('acc_1'),
        getAccount: async ({ id }) => {
          const { principal, caller } = currentCall();
          seen = { principal: principal?.id, caller: caller?.service };
          return account(id);
        },
        listAccounts: async () => ({ accounts: [] }),
      });
      await platform.start();
      const client = platform.client(AccountServiceDefinition, { as: { id: 'user_1', scopes: ['accounts:read'] } });
      assert.equal((await client.getAccount({ id: 'acc_7' })).account?.id, 'acc_7');
      assert.deepEqual(seen, { principal: 'user_1', caller: 'service.test' });
      await assert.rejects(client.createAccount({ description: 'x' }), (error) => hasCode(error, 'forbidden.scope'));
      await assert.rejects(platform.client(AccountServiceDefinition).getAccount({ id: 'acc_7' }), (error) => hasCode(error, 'unauthorized'));
      await assert.rejects(client.getAccount({ id: '' }), (error) => hasCode(error, 'bad_request.missing_param'));
    } finally {
      await platform.stop();
    }
  });
}
