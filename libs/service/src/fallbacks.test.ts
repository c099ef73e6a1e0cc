import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { TransactionServiceDefinition } from '@talaria/contracts/transaction/v1/transaction';
import { notFound } from '@talaria/errors';
import type { Metadata } from '@talaria/rpc';
import { createPlatform } from '@talaria/testing';
import { answer, degraded, stale } from './authoring.ts';

const KEY = 'x-talaria-fallback';
const RULES = [{ side: 'client', method: 'account.v1', fault: { error: { code: 'UNAVAILABLE' } } }];

/** `service.transaction`, which asks `service.account` for the name of an account in each call. */
async function scene(listen: 'inproc' | 'h2c') {
  const platform = await createPlatform({ env: { TALARIA_FAULTS: 'allow' }, listen });
  platform.service({ name: 'service.account' }).add(AccountServiceDefinition, {
    createAccount: () => assert.fail(),
    async getAccount({ id }) {
      if (id === 'none') throw notFound('account', 'There is none');
      return { account: { id, description: `of ${id}` } };
    },
    listAccounts: async () => ({ accounts: [{ id: 'acc_1' }] }),
  });
  const front = platform.service({ name: 'service.transaction' });
  const accounts = front.client(AccountServiceDefinition, {
    fallback: {
      getAccount: stale({ maxAge: '10m', max: 100 }),
      listAccounts: answer(() => ({ accounts: [] })),
    },
  });
  const plain = front.client(AccountServiceDefinition);
  front.add(TransactionServiceDefinition, {
    recordTransaction: () => assert.fail(),
    async getTransaction({ id }) {
      const { account } = await accounts.getAccount({ id });
      return { transaction: { id, description: account?.description ?? '' } };
    },
    async listTransactions({ accountId }) {
      if (accountId === 'plain') await plain.listAccounts({});
      const { accounts: found } = await accounts.listAccounts({});
      await accounts.getAccount({ id: accountId });
      return { transactions: found.map(({ id }) => ({ id })) };
    },
  });
  await platform.start();
  const scopes = ['transactions:read', 'accounts:read'];
  const client = platform.client(TransactionServiceDefinition, { as: { id: 'user_1', scopes } });
  const other = platform.client(TransactionServiceDefinition, { as: { id: 'user_2', scopes } });
  const marks: (string | undefined)[] = [];
  const onTrailer = (trailer: Metadata): void => void marks.push(trailer.get(KEY));
  return {
    platform,
    front,
    client,
    other,
    marks,
    onTrailer,
    breakAccounts: () => platform.config.set('service/service.transaction', { 'faults.rules': RULES }),
    checker: async () => (await front.health.check()).find(({ name }) => name === 'fallbacks'),
  };
}

describe('fallbacks of a service', { timeout: 60_000 }, () => {
  for (const listen of ['inproc', 'h2c'] as const) {
    it(`${listen}: answer while the other one is gone, mark the response of this one, and are seen in health`, async () => {
      const made = await scene(listen);
      const { client, onTrailer, marks } = made;
      try {
        assert.equal((await client.getTransaction({ id: 'acc_1' }, { onTrailer })).transaction?.description, 'of acc_1');
        assert.equal((await client.listTransactions({ accountId: 'acc_1' }, { onTrailer })).transactions.length, 1);
        assert.equal((await made.checker())?.ok, true);
        assert.deepEqual(marks.splice(0), [undefined, undefined]);

        made.breakAccounts();
        assert.equal((await client.getTransaction({ id: 'acc_1' }, { onTrailer })).transaction?.description, 'of acc_1');
        assert.equal((await client.listTransactions({ accountId: 'acc_1' }, { onTrailer })).transactions.length, 0);
        assert.deepEqual(marks.splice(0), [
          'account.v1.AccountService/GetAccount;kind=stale',
          'account.v1.AccountService/ListAccounts;kind=default, account.v1.AccountService/GetAccount;kind=stale',
        ]);
        assert.match(JSON.stringify(await made.checker()), /"ok":false.*GetAccount \(stale, 2 since the start/);
        assert.equal(made.front.health.well, true);

        // Another customer never gets what this one got; nor does a client without fallbacks get anything.
        await assert.rejects(made.other.getTransaction({ id: 'acc_1' }, { onTrailer }), { code: /^unavailable/ });
        await assert.rejects(client.listTransactions({ accountId: 'plain' }, { onTrailer }), { code: /^unavailable/ });
        assert.deepEqual(marks.splice(0), [undefined, undefined]);
      } finally {
        await made.platform.stop();
      }
    });
  }

  it('cost a service without them nothing: no middleware, no checker', async () => {
    const platform = await createPlatform();
    const service = platform.service({ name: 'service.account' });
    const before = service.middleware();
    service.client(AccountServiceDefinition);
    assert.deepEqual(service.middleware(), before);
    service.client(AccountServiceDefinition, { fallback: { getAccount: degraded(async ({ id = '' }) => ({ account: { id } })) } });
    service.client(AccountServiceDefinition, { fallback: { getAccount: stale({ maxAge: 1_000 }) } });
    assert.deepEqual(service.middleware(), ['fallbacks', ...before]);
    assert.equal((await service.health.check()).filter(({ name }) => name === 'fallbacks').length, 1);
    await platform.stop();
  });

  it('need a time that is one', () => {
    assert.throws(() => stale({ maxAge: 'soon' as never }), /is no interval/);
  });
});
