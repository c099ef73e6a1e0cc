import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { FileDescriptorSetSchema, MethodOptionsSchema } from '@bufbuild/protobuf/wkt';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { contractMethods, methodPriority } from '@talaria/rpc';
import { dynamicDefinition } from './definition.ts';

test('a contract that is known by its descriptor only has the options of its methods', () => {
  const set = fromBinary(FileDescriptorSetSchema, Buffer.from(AccountServiceDefinition.descriptor.set, 'base64'));
  const method = set.file.flatMap((file) => file.service.flatMap((service) => service.method)).find(({ name }) => name === 'GetAccount');
  assert.ok(method);
  method.options ??= create(MethodOptionsSchema);
  // A google.protobuf.Duration of 2.5 s under talaria.options.v1.deadline.
  const duration = new BinaryWriter().uint32(8).int64(2n).uint32(16).int32(500_000_000).finish();
  const data = new BinaryWriter().bytes(duration).finish();
  const priority = new BinaryWriter().uint32(1).finish();
  method.options.$unknown = [...(method.options.$unknown ?? []), { no: 52002, wireType: 2, data }, { no: 52004, wireType: 0, data: priority }];
  const service = createFileRegistry(set).getService('account.v1.AccountService');
  assert.ok(service);
  const methods = contractMethods(dynamicDefinition(service));
  assert.deepEqual(
    methods.map(({ key, deadlineMs, options }) => [key, deadlineMs, options.idempotencyLevel, methodPriority(options)]),
    [
      ['createAccount', undefined, undefined, undefined],
      ['getAccount', 2_500, 'NO_SIDE_EFFECTS', 'critical'],
      ['listAccounts', undefined, 'NO_SIDE_EFFECTS', undefined],
    ],
  );
});
