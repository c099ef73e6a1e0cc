import assert from 'node:assert/strict';
import { it } from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { contractMethod, contractMethods, contractName } from './contract.ts';
import { descriptorRegistry, registryOf } from './descriptor.ts';
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

it('decodes what contracts import once for all of them, and anew where it differs', () => {
  const file = (name: string, dependency: string[], fields: string[]) => ({ name, syntax: 'proto3', package: 'a', dependency, messageType: [{ name: name.slice(0, -6), field: fields.map((field, at) => ({ name: field, number: at + 1, type: 9, label: 1 })) }] });
  const registry = (...all: ReturnType<typeof file>[]) => {
    const set = toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: all }));
    return descriptorRegistry({ file: all.at(-1)?.name ?? '', set: Buffer.from(set).toString('base64') });
  };
  const shared = file('Shared.proto', [], ['one']);
  const first = registry(shared, file('First.proto', ['Shared.proto'], []));
  const second = registry(shared, file('Second.proto', ['Shared.proto'], []));
  assert.equal(first.getMessage('a.Shared'), second.getMessage('a.Shared'));
  assert.deepEqual([first.getMessage('a.First')?.name, first.getMessage('a.Second'), second.getFile('Second.proto')?.dependencies[0]?.name], ['First', undefined, 'Shared']);
  const newer = registry(file('Shared.proto', [], ['one', 'two']), file('First.proto', ['Shared.proto'], []));
  assert.deepEqual([newer, first].map((each) => each.getFile('First.proto')?.dependencies[0]?.messages[0]?.fields.length), [2, 1]);
});
