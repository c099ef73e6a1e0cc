import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, createFileRegistry, toBinary } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { contractMethods, type ContractMethod } from '@talaria/rpc';
import { refuseNul } from './refuse-nul.ts';

const field = (name: string, number: number, more: object = {}): ReturnType<typeof create<typeof FieldDescriptorProtoSchema>> =>
  create(FieldDescriptorProtoSchema, { name, number, type: Type.STRING, label: Label.OPTIONAL, ...more });
const entry = (name: string, value: object): object => ({ name, options: { mapEntry: true }, field: [field('key', 1), field('value', 2, value)] });

/** A message with texts in every kind of place. */
function method(): ContractMethod {
  const item = { type: Type.MESSAGE, typeName: '.test.v1.Item' };
  const file = create(FileDescriptorProtoSchema, {
    name: 'test/v1/test.proto',
    package: 'test.v1',
    syntax: 'proto3',
    messageType: [
      { name: 'Item', field: [field('display_name', 1), field('some_bytes', 2, { type: Type.BYTES })] },
      {
        name: 'Request',
        oneofDecl: [{ name: 'any_kind' }],
        field: [
          field('own_text', 1),
          field('all_tags', 2, { label: Label.REPEATED }),
          field('one_item', 3, item),
          field('more_items', 4, { ...item, label: Label.REPEATED }),
          field('case_text', 5, { oneofIndex: 0 }),
          field('case_item', 6, { ...item, oneofIndex: 0 }),
          field('by_name', 7, { type: Type.MESSAGE, typeName: '.test.v1.Request.ByNameEntry', label: Label.REPEATED }),
          field('text_by', 8, { type: Type.MESSAGE, typeName: '.test.v1.Request.TextByEntry', label: Label.REPEATED }),
        ],
        nestedType: [entry('ByNameEntry', item), entry('TextByEntry', {})],
      },
    ],
    service: [{ name: 'Test', method: [{ name: 'Do', inputType: '.test.v1.Request', outputType: '.test.v1.Request' }] }],
  });
  const set = create(FileDescriptorSetSchema, { file: [file] });
  createFileRegistry(set);
  const codec = { encode: () => ({ finish: () => new Uint8Array() }), decode: () => ({}) };
  const definition = {
    name: 'Test',
    fullName: 'test.v1.Test',
    methods: { do: { name: 'Do', requestType: codec, requestStream: false, responseType: codec, responseStream: false, options: {} } },
    descriptor: { file: 'test/v1/test.proto', set: Buffer.from(toBinary(FileDescriptorSetSchema, set)).toString('base64') },
  };
  return contractMethods(definition as never)[0] as ContractMethod;
}

const cases: readonly (readonly [object, string])[] = [
  [{ ownText: '\0' }, 'own_text'],
  [{ allTags: ['a', 'b\0'] }, 'all_tags[1]'],
  [{ oneItem: { displayName: 'a\0b' } }, 'one_item.display_name'],
  [{ moreItems: [{ displayName: 'a' }, { displayName: '\0' }] }, 'more_items[1].display_name'],
  [{ anyKind: { $case: 'caseText', value: '\0' } }, 'case_text'],
  [{ anyKind: { $case: 'caseItem', value: { displayName: '\0' } } }, 'case_item.display_name'],
  [{ byName: { x: { displayName: '\0' } } }, 'by_name["x"].display_name'],
  [{ textBy: { x: '\0' } }, 'text_by["x"]'],
  [{ textBy: { 'x\0': 'y' } }, 'text_by["x\\u0000"]'],
  [{ textBy: new Map([['x', '\0']]) }, 'text_by["x"]'],
];

for (const [request, path] of cases) {
  test(`U+0000 is found at ${path}`, () => {
    assert.throws(() => refuseNul(request, method()), { code: 'bad_request.invalid_param', params: { param: path } });
  });
}

test('bytes, dates, numbers and texts without it pass', () => {
  refuseNul({ ownText: 'a', oneItem: { displayName: '', someBytes: Buffer.from([0, 1]) }, at: new Date(0), amount: 0n, none: undefined, nothing: null, yes: true }, method());
});
