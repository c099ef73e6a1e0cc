// A contract that uses all of google.api.http, made without a compiler so that tests need none.
import { create, createFileRegistry, fromBinary, fromJson, setExtension, toBinary, type DescExtension, type JsonObject } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import {
  EnumDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  FieldOptions_JSType,
  file_google_protobuf_duration,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  MethodDescriptorProtoSchema,
  MethodOptionsSchema,
  SourceCodeInfoSchema,
  type DescriptorProto,
  type FieldDescriptorProto,
  type MethodDescriptorProto,
} from '@bufbuild/protobuf/wkt';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { type ContractSource } from '../transcode/routes.ts';

const annotations = fromBinary(FileDescriptorSetSchema, Buffer.from(AccountServiceDefinition.descriptor.set, 'base64')).file.filter(
  ({ name }) => ['google/', 'talaria/', 'buf/'].some((folder) => name.startsWith(folder)),
);

// The npm package protobufjs, where our http.proto comes from, has a copy without response_body.
const httpRule = annotations.find(({ name }) => name === 'google/api/http.proto')?.messageType.find(({ name }) => name === 'HttpRule');
if (httpRule && !httpRule.field.some(({ number }) => number === 12)) {
  httpRule.field.push(create(FieldDescriptorProtoSchema, { name: 'response_body', number: 12, jsonName: 'responseBody', label: Label.OPTIONAL, type: Type.STRING }));
}

const known = createFileRegistry(create(FileDescriptorSetSchema, { file: annotations }));
const extension = (name: string): DescExtension => known.getExtension(name) as DescExtension;

const SCALARS: Record<string, Type> = { string: Type.STRING, int32: Type.INT32, uint32: Type.UINT32, int64: Type.INT64, uint64: Type.UINT64, double: Type.DOUBLE, float: Type.FLOAT, bool: Type.BOOL, bytes: Type.BYTES };

/** In the JSON form of `buf.validate.FieldRules`. */
type Rules = JsonObject;

function fieldOptions(jsNumber: boolean, rules: Rules | undefined): Pick<FieldDescriptorProto, 'options'> | Record<never, never> {
  if (!jsNumber && !rules) return {};
  const options = create(FieldOptionsSchema, jsNumber ? { jstype: FieldOptions_JSType.JS_NUMBER } : {});
  const ext = extension('buf.validate.field');
  if (rules && ext.message) setExtension(options, ext, fromJson(ext.message, rules) as never);
  return { options };
}

/** `repeated int32`, `Shelf`, `Colour!` (an enum), `google.protobuf.Timestamp`, `int64 number` (JS_NUMBER). */
function field(name: string, number: number, spec: string, oneofIndex?: number, rules?: Rules): FieldDescriptorProto {
  const [type = '', jsType] = spec.replace('repeated ', '').split(' ');
  const scalar = SCALARS[type];
  const full = type.includes('.') ? `.${type}` : `.library.v1.${type.replace('!', '')}`;
  return create(FieldDescriptorProtoSchema, {
    name,
    number,
    jsonName: name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    label: spec.startsWith('repeated ') ? Label.REPEATED : Label.OPTIONAL,
    ...(scalar === undefined ? { type: type.endsWith('!') ? Type.ENUM : Type.MESSAGE, typeName: full } : { type: scalar }),
    ...fieldOptions(jsType === 'number', rules),
    ...(oneofIndex === undefined ? {} : { oneofIndex }),
  });
}

function message(name: string, fields: readonly (readonly [string, string, (number | undefined)?, Rules?])[], more: Partial<DescriptorProto> = {}): DescriptorProto {
  return { name, field: fields.map(([one, spec, oneof, rules], index) => field(one, index + 1, spec, oneof, rules)), ...more } as DescriptorProto;
}

type Rule = Readonly<Record<string, unknown>>;

function method(name: string, input: string, output: string, rule: Rule | undefined, access: string | undefined = 'anyone', streams: Partial<MethodDescriptorProto> = {}): MethodDescriptorProto {
  const options = create(MethodOptionsSchema);
  const set = (ext: DescExtension, value: Record<string, unknown>): void => {
    const desc = ext.message;
    if (desc) setExtension(options, ext, create(desc, value) as never);
  };
  if (rule) set(extension('google.api.http'), rule);
  if (access) {
    const ext = extension('talaria.options.v1.access');
    const kind = ext.message?.fields.find((one) => one.name === access);
    set(ext, { kind: { case: access, value: kind?.message ? reflect(kind.message).message : undefined } });
  }
  return create(MethodDescriptorProtoSchema, { name, inputType: `.library.v1.${input}`, outputType: `.library.v1.${output}`, options, ...streams });
}

const http = (verb: string, path: string, more: Rule = {}): Rule => ({ pattern: { case: verb, value: path }, ...more });

const library = create(FileDescriptorProtoSchema, {
  name: 'library/v1/library.proto',
  package: 'library.v1',
  syntax: 'proto3',
  dependency: ['google/api/annotations.proto', 'talaria/options/v1/options.proto', 'buf/validate/validate.proto', ...['timestamp', 'duration', 'field_mask', 'struct', 'wrappers'].map((name) => `google/protobuf/${name}.proto`)],
  enumType: [create(EnumDescriptorProtoSchema, { name: 'Colour', value: [{ name: 'COLOUR_UNSPECIFIED', number: 0 }, { name: 'COLOUR_RED', number: 1 }] })],
  messageType: [
    message('Shelf', [
      ['id', 'string'],
      ['theme', 'string'],
      ['size', 'int32'],
      ['colour', 'Colour!'],
      ['inner', 'Shelf'],
      ['names', 'repeated string'],
    ]),
    message(
      'Everything',
      [
        ['id', 'string'],
        ['small', 'int32'],
        ['count', 'uint32'],
        ['big', 'int64'],
        ['amount', 'int64 number'],
        ['amounts', 'repeated int64 number'],
        ['ratio', 'double'],
        ['single', 'float'],
        ['yes', 'bool'],
        ['raw', 'bytes'],
        ['colour', 'Colour!'],
        ['numbers', 'repeated int32'],
        ['shelf', 'Shelf'],
        ['shelves', 'repeated Shelf'],
        ['at', 'google.protobuf.Timestamp'],
        ['lasts', 'google.protobuf.Duration'],
        ['mask', 'google.protobuf.FieldMask'],
        ['maybe', 'google.protobuf.Int32Value'],
        ['flag', 'google.protobuf.BoolValue'],
        ['free', 'google.protobuf.Struct'],
        ['any_value', 'google.protobuf.Value'],
        ['labels', 'repeated Everything.LabelsEntry'],
        ['left', 'string', 0],
        ['right', 'int32', 0],
        ['huge', 'uint64'],
      ],
      {
        oneofDecl: [{ name: 'side' }] as DescriptorProto['oneofDecl'],
        nestedType: [message('LabelsEntry', [['key', 'string'], ['value', 'int32']], { options: { mapEntry: true } as DescriptorProto['options'] })],
      },
    ),
    message('Empty', []),
    message('Ruled', [
      ['id', 'string', undefined, { string: { min_len: 1, max_len: 8 } }],
      ['code', 'string', undefined, { string: { pattern: '^[A-Z]{3}-[0-9]{2,4}$' } }],
      ['kind', 'string', undefined, { string: { in: ['big', 'small'] } }],
      ['note', 'string', undefined, { string: { max_len: 20 } }],
      ['size', 'int32', undefined, { int32: { gte: 1, lt: 100 } }],
      ['amount', 'int64 number', undefined, { int64: { gt: '-5', lte: '5' } }],
      ['big', 'int64', undefined, { int64: { gte: '9007199254740993' } }],
      ['tags', 'repeated string', undefined, { repeated: { min_items: 1, max_items: 3 } }],
      ['shelf', 'Shelf', undefined, { required: true }],
      ['colour', 'Colour!', undefined, { required: true }],
    ]),
  ],
  service: [
    {
      name: 'Library',
      method: [
        method('Echo', 'Everything', 'Everything', http('post', '/everything', { body: '*' })),
        method('Look', 'Everything', 'Everything', { ...http('get', '/everything'), additionalBindings: [http('get', '/v1/{id=things/*/parts/**}'), http('get', '/shelves/{shelf.id}/everything')] }),
        method('PutShelf', 'Everything', 'Everything', http('put', '/shelves/{shelf.id}', { body: 'shelf', responseBody: 'shelf' })),
        method('Close', 'Everything', 'Everything', http('post', '/everything/{id}:close', { body: '*' })),
        method('PatchAmounts', 'Everything', 'Everything', http('patch', '/everything/{id}/amounts', { body: 'amounts' })),
        method('Ping', 'Empty', 'Empty', http('post', '/ping', { body: '*' })),
        method('Report', 'Everything', 'Everything', { pattern: { case: 'custom', value: { kind: 'REPORT', path: '/everything' } } }),
        method('Mine', 'Everything', 'Everything', http('get', '/mine'), 'principal'),
        method('Token', 'Everything', 'Everything', http('post', '/oauth2/library', { body: '*' })),
        method('Watch', 'Everything', 'Everything', http('get', '/watch'), 'anyone', { serverStreaming: true }),
        method('Upload', 'Everything', 'Everything', http('post', '/upload', { body: '*' }), 'anyone', { clientStreaming: true }),
        method('Unruled', 'Everything', 'Everything', http('get', '/unruled'), ''),
        method('Services', 'Everything', 'Everything', http('get', '/services'), 'services'),
        method('Wrong', 'Everything', 'Everything', http('get', '/wrong/{nothing}')),
        method('Rule', 'Ruled', 'Ruled', http('post', '/ruled/{id}', { body: '*' })),
        method('AskRuled', 'Ruled', 'Empty', http('get', '/ruled')),
        method('ShelveDocs', 'Everything', 'Everything', http('get', '/docs/{id}')),
        method('Internal', 'Everything', 'Everything', undefined),
      ],
    },
  ],
});

// The type name of a map's entry is relative to its message.
for (const one of library.messageType[1]?.field ?? []) if (one.name === 'labels') one.typeName = '.library.v1.Everything.LabelsEntry';

const wellKnown = [file_google_protobuf_timestamp, file_google_protobuf_duration, file_google_protobuf_field_mask, file_google_protobuf_struct, file_google_protobuf_wrappers].map(({ proto }) => proto);
const files = new Map([...annotations, ...wellKnown, library].map((file) => [file.name, file]));

/** Comments as a compiler finds them: paths are those of descriptor.proto. */
const COMMENTS: readonly (readonly [path: readonly number[], leading: string, trailing?: string])[] = [
  [[6, 0], ' Keeps shelves.\n\n (-- For us alone. --)\n'],
  [[6, 0, 2, 0], ' Answers with what it is asked; says nothing else.\n buf:lint:ignore RPC_REQUEST_STANDARD_NAME\n'],
  [[4, 0], ' Where books stand.\n'],
  [[4, 0, 2, 0], ' Such as "shelf_1".\n', ' Never changes.\n'],
  [[4, 1, 2, 0], ' Such as "thing_1".\n'],
  [[5, 0], ' What it looks like.\n'],
  [[5, 0, 2, 1], ' Like a tomato.\n'],
];
library.sourceCodeInfo = create(SourceCodeInfoSchema, {
  location: COMMENTS.map(([path, leadingComments, trailingComments = '']) => ({ path: [...path], span: [0, 0, 0], leadingComments, trailingComments })),
});

/** `library.v1.Library`, as its service would publish it. */
export const libraryContract: ContractSource = {
  contract: 'library.v1.Library',
  service: 'service.library',
  file: 'library/v1/library.proto',
  descriptorSet: toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: [...files.values()] })),
};
