import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { AuthServiceDefinition } from '@talaria/contracts/auth/v1/auth';
import { silentLogger, type PublishedContract, type PublishedContracts } from '@talaria/service';
import { devScopes } from './dev-scopes.ts';

const published = (contract: string, descriptorSet: Uint8Array): PublishedContract => ({ contract, service: 'service.x', file: 'x.proto', descriptorSet });
const setOf = (definition: { readonly descriptor: { readonly set: string } }): Uint8Array => Buffer.from(definition.descriptor.set, 'base64');

function contracts(all: readonly PublishedContract[], ready = Promise.resolve()): PublishedContracts {
  return { get: () => all, onChange: () => () => {}, ready };
}

test('development clients may do what is asked for, whoever asks, and a contract that cannot be read hides no other', async () => {
  const warned: string[] = [];
  const log = { ...silentLogger, warn: (message: string) => void warned.push(message) };
  const all = [published('bad.v1.Bad', Buffer.from('no descriptor')), published('account.v1.AccountService', setOf(AccountServiceDefinition)), published('auth.v1.AuthService', setOf(AuthServiceDefinition))];
  assert.deepEqual(await devScopes(contracts(all), log), ['accounts:read', 'accounts:write']);
  assert.equal(warned.length, 1);
});

test('nothing is granted before it is known what is published', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const all: PublishedContract[] = [];
  const scopes = devScopes(contracts(all, promise), silentLogger);
  all.push(published('account.v1.AccountService', setOf(AccountServiceDefinition)));
  resolve();
  assert.deepEqual(await scopes, ['accounts:read', 'accounts:write']);
});
