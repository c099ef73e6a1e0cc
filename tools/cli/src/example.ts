import { ScalarType, type DescField, type DescMessage, type JsonValue } from '@bufbuild/protobuf';
import { FieldOptions_JSType } from '@bufbuild/protobuf/wkt';
import { wellKnown, wrapped } from './field-words.ts';

/** Strings in proto JSON, as JavaScript would round them. */
const WIDE = new Set([ScalarType.INT64, ScalarType.UINT64, ScalarType.SINT64, ScalarType.FIXED64, ScalarType.SFIXED64]);

/** Values that stand for themselves in JSON whatever their message type says. */
const JSON_OF: Readonly<Record<string, JsonValue>> = {
  'google.protobuf.Struct': {},
  'google.protobuf.Value': null,
  'google.protobuf.ListValue': [],
  'google.protobuf.Empty': {},
};

function scalar(field: DescField): JsonValue {
  switch (field.scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return '';
    case ScalarType.BOOL:
      return false;
    default:
      // As proto JSON writes it.
      return field.scalar !== undefined && WIDE.has(field.scalar) && field.proto.options?.jstype !== FieldOptions_JSType.JS_NUMBER ? '0' : 0;
  }
}

function item(field: DescField, around: readonly DescMessage[]): JsonValue | undefined {
  if (field.enum) return (field.enum.values.find(({ number }) => number !== 0) ?? field.enum.values[0])?.name ?? 0;
  return field.message ? ofMessage(field.message, around) : scalar(field);
}

/** Undefined where there is nothing sensible to write. */
function ofMessage(message: DescMessage, around: readonly DescMessage[]): JsonValue | undefined {
  const inner = wrapped(message);
  if (inner) return scalar(inner);
  const known = wellKnown(message.typeName);
  if (known) return known.example;
  const fixed = JSON_OF[message.typeName];
  if (fixed !== undefined) return fixed;
  // Of Any nobody knows what is inside, and a message in itself would never end.
  if (message.typeName === 'google.protobuf.Any' || around.includes(message)) return undefined;

  const result: Record<string, JsonValue> = {};
  for (const field of message.fields) {
    // Of a oneof only one may be set.
    if (field.oneof && field.oneof.fields[0] !== field) continue;
    const value = item(field, [...around, message]);
    if (field.fieldKind === 'map') result[field.name] = {};
    else if (value !== undefined) result[field.name] = field.fieldKind === 'list' ? [value] : value;
  }
  return result;
}

/** A request to fill in: proto JSON with every field of `message`, of each oneof the first. It is a valid message as it stands. */
export function exampleOf(message: DescMessage): JsonValue {
  return ofMessage(message, []) ?? {};
}
