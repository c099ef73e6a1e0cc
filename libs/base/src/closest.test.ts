import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closest } from './closest.ts';

const METHODS = ['createAccount', 'getAccount', 'listAccounts'];

test('a slip of the pen finds what was meant', () => {
  for (const slip of ['getAcount', 'GetAccount', 'gteAccount', 'getAccounts', 'get_account']) assert.equal(closest(slip, METHODS), 'getAccount', slip);
  assert.equal(closest('acount.v1.AccountService', ['webhook.v1.WebhookService', 'account.v1.AccountService']), 'account.v1.AccountService');
});

test('what is nothing like any of them finds none', () => {
  assert.equal(closest('deleteWebhook', METHODS), undefined);
  assert.equal(closest('getAccount', []), undefined);
});
