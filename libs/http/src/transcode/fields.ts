import { type DescField, type DescMessage } from '@bufbuild/protobuf';

const byMessage = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>();

/** A field by its proto name or its JSON name. */
export function findField(desc: DescMessage, name: string): DescField | undefined {
  let fields = byMessage.get(desc);
  if (!fields) {
    fields = new Map([...desc.fields.map((field) => [field.jsonName, field] as const), ...desc.fields.map((field) => [field.name, field] as const)]);
    byMessage.set(desc, fields);
  }
  return fields.get(name);
}

/** The well-known types whose JSON form is a string. */
const STRINGS = new Set(['google.protobuf.Timestamp', 'google.protobuf.Duration', 'google.protobuf.FieldMask']);
/** Those whose JSON form is any JSON. */
const FREE = new Set(['google.protobuf.Struct', 'google.protobuf.Value', 'google.protobuf.ListValue', 'google.protobuf.Any']);
const WRAPPERS = new Set(['DoubleValue', 'FloatValue', 'Int64Value', 'UInt64Value', 'Int32Value', 'UInt32Value', 'BoolValue', 'StringValue', 'BytesValue'].map((name) => `google.protobuf.${name}`));

/** How JSON shows a message: as an object of its fields, or in a form of its own. */
export function jsonForm(desc: DescMessage): 'fields' | 'string' | 'free' | 'wrapper' {
  if (STRINGS.has(desc.typeName)) return 'string';
  if (FREE.has(desc.typeName)) return 'free';
  return WRAPPERS.has(desc.typeName) ? 'wrapper' : 'fields';
}

/** `path.name`, or `name` at the top. */
export function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
