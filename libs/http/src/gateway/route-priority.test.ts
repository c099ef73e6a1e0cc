import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { FileDescriptorSetSchema, MethodOptionsSchema } from '@bufbuild/protobuf/wkt';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { type Route } from '../transcode/routes.ts';
import { priorityBaggage } from './route-priority.ts';

test('the gateway gives calls the priority of their contract', () => {
  const set = fromBinary(FileDescriptorSetSchema, Buffer.from(AccountServiceDefinition.descriptor.set, 'base64'));
  const method = set.file.flatMap((file) => file.service.flatMap((service) => service.method)).find(({ name }) => name === 'ListAccounts');
  assert.ok(method);
  method.options ??= create(MethodOptionsSchema);
  method.options.$unknown = [...(method.options.$unknown ?? []), { no: 52004, wireType: 0, data: new BinaryWriter().uint32(3).finish() }];
  const service = createFileRegistry(set).getService('account.v1.AccountService');
  const baggage = service?.methods.map((desc) => priorityBaggage({ desc } as Route));
  assert.deepEqual(baggage?.flat(), [['talaria-priority', 'sheddable']]);
});
