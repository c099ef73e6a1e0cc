import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccountServiceDefinition, type Account } from '@talaria/contracts/account/v1/account';
import { newId } from '@talaria/service';
import { call, createPlatform } from '@talaria/testing';
import { type AccountStorage } from '../storage/account-storage.ts';
import { accountHandlers } from './account-handlers.ts';

/** Accounts in memory. */
function fakeStorage(): AccountStorage {
  const all: (Account & { owner: string })[] = [];
  return {
    async create(owner, description) {
      const account = { id: newId('acc'), description, created: new Date(), owner };
      all.push(account);
      return account;
    },
    get: async (owner, id) => all.find((account) => account.owner === owner && account.id === id),
    list: async (owner, { limit }) => all.filter((account) => account.owner === owner).slice(0, limit),
  };
}

const { listAccounts } = AccountServiceDefinition.methods;
const ann = { principal: 'user_ann' };
const bob = { principal: 'user_bob' };

test('a principal finds its own accounts, and nobody finds those of another', async () => {
  const handlers = accountHandlers(fakeStorage());
  const { account } = await call(handlers.createAccount, { description: 'Peter Pan' }, ann);
  const id = account?.id ?? assert.fail();
  assert.equal(account?.description, 'Peter Pan');
  assert.deepEqual(await call(handlers.getAccount, { id }, ann), { account });
  assert.deepEqual(await call(handlers.listAccounts, {}, { ...bob, method: listAccounts }), { accounts: [] });
  await assert.rejects(call(handlers.getAccount, { id }, bob), { code: 'not_found.account', params: { id } });
});

test('a list has thirty accounts, unless it asks for fewer', async () => {
  const handlers = accountHandlers(fakeStorage());
  for (let count = 0; count < 31; count++) await call(handlers.createAccount, { description: 'x' }, ann);
  const count = async (limit?: number): Promise<number> => (await call(handlers.listAccounts, limit === undefined ? {} : { limit }, { ...ann, method: listAccounts })).accounts.length;
  assert.deepEqual([await count(), await count(2)], [30, 2]);
});

test('the contract decides who may call, and with what', async (t) => {
  const platform = await createPlatform();
  t.after(() => platform.stop());
  platform.service({ name: 'service.account' }).add(AccountServiceDefinition, accountHandlers(fakeStorage()));
  await platform.start();
  const reader = platform.client(AccountServiceDefinition, { as: { id: 'user_ann', scopes: ['accounts:read'] } });
  await assert.rejects(reader.createAccount({ description: 'x' }), { code: 'forbidden.scope' });
  await assert.rejects(platform.client(AccountServiceDefinition).listAccounts({}), { code: 'unauthorized.principal' });
  await assert.rejects(reader.listAccounts({ limit: -1 }), { code: 'bad_request.invalid_param' });
});
