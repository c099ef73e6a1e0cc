import assert from 'node:assert/strict';
import { it } from 'node:test';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { contractMethod, contractMethods, contractName } from './contract.ts';
import { registryOf } from './descriptor.ts';
import { TestDefinition } from './testing/test-contract.ts';

it('reads generated and dynamic definitions', () => {
  assert.equal(contractName(AccountServiceDefinition), 'account.v1.AccountService');
  const get = contractMethods(AccountServiceDefinition).find(({ key }) => key === 'getAccount');
  assert.equal(get?.path, '/account.v1.AccountService/GetAccount');
  assert.equal(get?.name, 'GetAccount');
  assert.equal(get && contractMethod(get), get);
  assert.equal(contractMethods(AccountServiceDefinition), contractMethods(AccountServiceDefinition));
  assert.equal(contractName(TestDefinition), 'test.Test');
  assert.deepEqual(
    contractMethods(TestDefinition).map(({ requestStream, responseStream }) => [requestStream, responseStream]),
    [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ],
  );
});

it('refuses definitions of no contract, of two, and malformed paths', () => {
  assert.throws(() => contractName({}), /has none/);
  assert.throws(() => contractName({ a: TestDefinition.unary, b: { ...TestDefinition.unary, path: '/b.B/C' } }), /test\.Test and b\.B/);
  assert.throws(() => contractName({ a: { ...TestDefinition.unary, path: 'nonsense' } }), /malformed/);
  assert.throws(() => contractMethod({ path: '/a.A/B', requestStream: false, responseStream: false, options: {} }), /pass call.method on/);
});

it('decodes descriptors once', () => {
  const registry = registryOf(AccountServiceDefinition);
  assert.equal(registry?.getService('account.v1.AccountService')?.methods.length, 3);
  assert.equal(registryOf(AccountServiceDefinition), registry);
  assert.equal(registryOf(TestDefinition), undefined);
});
