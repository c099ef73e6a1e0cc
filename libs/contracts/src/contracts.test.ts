import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { Transaction } from '@talaria/contracts/transaction/v1/transaction';
import { contractDescriptor } from './index.ts';

test('a definition carries a descriptor set that is complete', () => {
  const descriptor = contractDescriptor(AccountServiceDefinition);
  assert.equal(descriptor?.file, 'account/v1/account.proto');
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, Buffer.from(descriptor?.set ?? '', 'base64')));
  assert.deepEqual(
    registry.getService('account.v1.AccountService')?.methods.map(({ name }) => name),
    Object.values(AccountServiceDefinition.methods).map(({ name }) => name),
  );
  assert.equal(registry.getExtension('talaria.options.v1.access')?.number, 52001);
});

test('one that was not generated here carries none', () => {
  assert.equal(contractDescriptor({}), undefined);
});

test('an int64 is a bigint, and none of it is lost', () => {
  const amount = -(2n ** 63n);
  assert.equal(Transaction.decode(Transaction.encode(Transaction.fromPartial({ amount })).finish()).amount, amount);
});
