import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccountServiceDefinition, type Account } from '@talaria/contracts/account/v1/account';
import { newId } from '@talaria/service';
import { createPlatform, type TestPlatform } from '@talaria/testing';
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

const scopes = ['accounts:read', 'accounts:write'];

async function start(t: { after(fn: () => Promise<void>): void }): Promise<TestPlatform> {
  const platform = await createPlatform();
  platform.service({ name: 'service.account' }).add(AccountServiceDefinition, accountHandlers(fakeStorage()));
  await platform.start();
  t.after(() => platform.stop());
  return platform;
}

test('a principal finds its own accounts, and nobody finds those of another', async (t) => {
  const platform = await start(t);
  const [ann, bob] = ['user_ann', 'user_bob'].map((id) => platform.client(AccountServiceDefinition, { as: { id, scopes } }));
  const { account } = (await ann?.createAccount({ description: 'Peter Pan' })) ?? {};
  assert.equal(account?.description, 'Peter Pan');
  assert.deepEqual((await ann?.getAccount({ id: account?.id ?? '' }))?.account, account);
  assert.deepEqual((await bob?.listAccounts({}))?.accounts, []);
  await assert.rejects(bob?.getAccount({ id: account?.id ?? '' }) ?? Promise.resolve(), { code: 'not_found.account', params: { id: account?.id } });
});

test('the contract decides who may call, and with what', async (t) => {
  const platform = await start(t);
  const reader = platform.client(AccountServiceDefinition, { as: { id: 'user_ann', scopes: ['accounts:read'] } });
  await assert.rejects(reader.createAccount({ description: 'x' }), { code: 'forbidden.scope' });
  await assert.rejects(platform.client(AccountServiceDefinition).listAccounts({}), { code: 'unauthorized.principal' });
  await assert.rejects(reader.listAccounts({ limit: -1 }), { code: 'bad_request.invalid_param' });
});
