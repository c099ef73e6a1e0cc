import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFileRegistry, fromBinary, fromJson } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema, type FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { create } from '@bufbuild/protobuf';
import { FieldDescriptorProto_Label as Label, FieldDescriptorProto_Type as Type, file_google_protobuf_timestamp } from '@bufbuild/protobuf/wkt';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { TransactionServiceDefinition } from '@talaria/contracts/transaction/v1/transaction';
import { WebhookServiceDefinition } from '@talaria/contracts/webhook/v1/webhook';
import { exampleOf } from '../example.ts';
import { findComplaint } from './complaint.ts';
import { parseJson } from './json-text.ts';

/** A message with a field of every sort. */
function sorts(): FileDescriptorProto {
  const field = (name: string, number: number, type: Type, more: object = {}) => ({ name, number, type, label: Label.OPTIONAL, jsonName: name.replace(/_(\w)/g, (_all, letter: string) => letter.toUpperCase()), ...more });
  return create(FileDescriptorProtoSchema, {
    name: 'sorts.proto',
    package: 'sorts',
    syntax: 'proto3',
    dependency: ['google/protobuf/timestamp.proto'],
    enumType: [{ name: 'Size', value: [{ name: 'SIZE_UNSPECIFIED', number: 0 }, { name: 'SIZE_SMALL', number: 1 }] }],
    messageType: [
      {
        name: 'Sorts',
        oneofDecl: [{ name: 'choice' }],
        nestedType: [{ name: 'CountsEntry', options: { mapEntry: true }, field: [field('key', 1, Type.STRING), field('value', 2, Type.INT32)] }],
        field: [
          field('text', 1, Type.STRING),
          field('big_number', 2, Type.INT64),
          field('flag', 3, Type.BOOL),
          field('raw', 4, Type.BYTES),
          field('size', 5, Type.ENUM, { typeName: '.sorts.Size' }),
          field('at', 6, Type.MESSAGE, { typeName: '.google.protobuf.Timestamp' }),
          field('inner', 7, Type.MESSAGE, { typeName: '.sorts.Sorts' }),
          field('many', 8, Type.MESSAGE, { typeName: '.sorts.Sorts', label: Label.REPEATED }),
          field('counts', 9, Type.MESSAGE, { typeName: '.sorts.Sorts.CountsEntry', label: Label.REPEATED }),
          field('left', 10, Type.STRING, { oneofIndex: 0 }),
          field('right', 11, Type.DOUBLE, { oneofIndex: 0 }),
        ],
      },
    ],
  });
}

const registry = createFileRegistry(sorts(), (name) => (name === 'google/protobuf/timestamp.proto' ? file_google_protobuf_timestamp : undefined));
const schema = registry.getMessage('sorts.Sorts');

test('a complaint names the innermost field, its place and what it takes', () => {
  assert.ok(schema);
  const cases: readonly (readonly [json: string, says: string])[] = [
    ['{"text":true}', '1:9 text takes a string, not true.'],
    ['{"big_number":\n "x"}', '2:2 big_number takes a whole number (int64), not "x".'],
    ['{"bigNumber":1.5}', '1:14 bigNumber takes a whole number (int64), not 1.5.'],
    ['{"flag":"yes"}', '1:9 flag takes true or false, not "yes".'],
    ['{"raw":5}', '1:8 raw takes a string of base64, not 5.'],
    ['{"size":"LARGE"}', '1:9 size takes one of "SIZE_UNSPECIFIED", "SIZE_SMALL", not "LARGE".'],
    ['{"at":"yesterday"}', '1:7 at takes a time, such as "2026-01-31T12:00:00Z", not "yesterday".'],
    ['{"inner":{"inner":{"flag":0}}}', '1:27 inner.inner.flag takes true or false, not 0.'],
    ['{"inner":[]}', '1:10 inner takes an object (sorts.Sorts), not [].'],
    ['{"many":{"text":""}}', '1:9 many takes an array, each item of which is an object (sorts.Sorts), not {"text":""}.'],
    ['{"many":[{},{"text":1}]}', '1:21 many[1].text takes a string, not 1.'],
    ['{"many":[{},7]}', '1:13 many[1] takes an object (sorts.Sorts), not 7.'],
    ['{"counts":{"a":1,"b":"c"}}', '1:22 counts["b"] takes a whole number (int32), not "c".'],
    ['{"texts":""}', '1:10 sorts.Sorts has no field "texts". Did you mean "text"?'],
    ['[]', '1:1 the request takes an object, not [].'],
  ];
  for (const [json, says] of cases) {
    const text = parseJson(json);
    assert.throws(() => fromJson(schema, text.value, { registry }), json);
    const complaint = findComplaint(schema, text, registry);
    assert.equal(`${complaint?.position.line}:${complaint?.position.column} ${complaint?.text}`, says);
  }
  const both = findComplaint(schema, parseJson('{"inner":{"left":"","right":1}}'), registry);
  assert.match(both?.text ?? '', /^inner: .*oneof.*choice/);
  assert.equal(findComplaint(schema, parseJson('{"text":"x","counts":{"a":1}}'), registry), undefined);
});

test('an example is a valid message, of every request of every contract, and of messages in themselves', () => {
  assert.ok(schema);
  const example = exampleOf(schema);
  fromJson(schema, example, { registry });
  assert.deepEqual(example, { text: '', big_number: '0', flag: false, raw: '', size: 'SIZE_SMALL', at: '2026-01-31T12:00:00Z', counts: {}, left: '' });
  for (const { descriptor } of [AccountServiceDefinition, TransactionServiceDefinition, WebhookServiceDefinition]) {
    const files = createFileRegistry(fromBinary(FileDescriptorSetSchema, Buffer.from(descriptor.set, 'base64')));
    for (const type of files) if (type.kind === 'service') for (const { input } of type.methods) fromJson(input, exampleOf(input), { registry: files });
  }
});
