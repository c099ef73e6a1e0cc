import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { TransactionServiceDefinition, type Transaction } from '@talaria/contracts/transaction/v1/transaction';
import { notFound, principal, unavailable } from '@talaria/service';
import { call, fake } from '@talaria/testing';
import { type TransactionPage, type TransactionStorage } from '../storage/transaction-storage.ts';
import { transactionHandlers } from './transaction-handlers.ts';

const { methods } = TransactionServiceDefinition;
const ann = { principal: 'user_ann' };
const bob = { principal: 'user_bob' };
const recorded: Transaction = { id: 'tx_1', accountId: 'user_ann', amount: -520n, currency: 'GBP', description: 'tea', created: new Date(0), dedupeId: '' };

/** Accounts that are named after their owners. */
const accounts = fake(AccountServiceDefinition, {
  async getAccount({ id }) {
    if (id !== principal().id) throw notFound('account', 'None.', { params: { id } });
    return { account: { id } };
  },
});

/** Knows one transaction, and notes what it is asked. */
function fakeStorage(): TransactionStorage & { readonly asked: unknown[] } {
  const asked: unknown[] = [];
  return {
    asked,
    async record(request) {
      asked.push(request);
      return { ...recorded, ...request };
    },
    get: async (id) => (id === recorded.id ? recorded : undefined),
    async list(accountId: string, page: TransactionPage) {
      asked.push([accountId, page]);
      return [recorded];
    },
  };
}

test('a transaction is recorded on an account of the principal only', async () => {
  const storage = fakeStorage();
  const { recordTransaction } = transactionHandlers({ storage, accounts });
  const request = { accountId: 'user_ann', amount: -520n, currency: 'GBP', description: 'tea' };
  const { transaction } = await call(recordTransaction, request, { ...ann, method: methods.recordTransaction });
  assert.deepEqual(transaction, { ...recorded, dedupeId: '' });
  await assert.rejects(call(recordTransaction, request, { ...bob, method: methods.recordTransaction }), { code: 'not_found.account' });
  assert.equal(storage.asked.length, 1);
});

test("another principal's transaction looks like one that does not exist", async () => {
  const { getTransaction } = transactionHandlers({ storage: fakeStorage(), accounts });
  assert.deepEqual(await call(getTransaction, { id: 'tx_1' }, ann), { transaction: recorded });
  for (const [id, who] of [['tx_1', bob], ['tx_2', ann]] as const) {
    await assert.rejects(call(getTransaction, { id }, who), { code: 'not_found.transaction', message: `There is no transaction ${id}.`, params: { id } });
  }
});

test('account-service away is that, and not a transaction that does not exist', async () => {
  const away = fake(AccountServiceDefinition, {
    async getAccount() {
      throw unavailable('no_instances', 'No instance serves account.v1.AccountService');
    },
  });
  const { getTransaction } = transactionHandlers({ storage: fakeStorage(), accounts: away });
  await assert.rejects(call(getTransaction, { id: 'tx_1' }, ann), { code: 'unavailable.no_instances' });
});

test('a page has thirty transactions, from a time or after an id, and a time that is none is refused', async () => {
  const storage = fakeStorage();
  const { listTransactions } = transactionHandlers({ storage, accounts });
  const list = (page: { readonly limit?: number; readonly since?: string; readonly before?: string }) =>
    call(listTransactions, { accountId: 'user_ann', ...page }, { ...ann, method: methods.listTransactions });
  assert.deepEqual((await list({})).transactions, [recorded]);
  await list({ limit: 5, since: 'tx_7', before: '2026-01-31T12:00:00Z' });
  assert.deepEqual(storage.asked, [
    ['user_ann', { limit: 30, since: undefined, before: undefined }],
    ['user_ann', { limit: 5, since: 'tx_7', before: new Date('2026-01-31T12:00:00Z') }],
  ]);
  await assert.rejects(list({ since: 'yesterday' }), { code: 'bad_request.invalid_param', params: { param: 'since' } });
});
