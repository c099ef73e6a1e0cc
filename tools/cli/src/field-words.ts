import { ScalarType, type DescField, type DescMessage } from '@bufbuild/protobuf';

/** The JSON of well-known types: what to say of it, and an example. */
const WELL_KNOWN: Readonly<Record<string, readonly [words: string, example: string]>> = {
  'google.protobuf.Timestamp': ['a time, such as "2026-01-31T12:00:00Z"', '2026-01-31T12:00:00Z'],
  'google.protobuf.Duration': ['a duration in seconds, such as "1.5s"', '1.5s'],
  'google.protobuf.FieldMask': ['field names with commas between them, such as "description,created"', ''],
};

const WRAPPER = /^google\.protobuf\.(?:Double|Float|U?Int64|U?Int32|Bool|String|Bytes)Value$/;

/** What is known of a well-known type whose JSON is one string; undefined for every other message. */
export function wellKnown(typeName: string): { readonly words: string; readonly example: string } | undefined {
  const known = WELL_KNOWN[typeName];
  return known && { words: known[0], example: known[1] };
}

/** The scalar that stands for a wrapper such as `google.protobuf.Int64Value` in JSON; undefined for every other message. */
export function wrapped(message: DescMessage): DescField | undefined {
  return WRAPPER.test(message.typeName) ? message.fields[0] : undefined;
}

function scalarWords(scalar: ScalarType): string {
  const name = ScalarType[scalar].toLowerCase();
  switch (scalar) {
    case ScalarType.STRING:
      return 'a string';
    case ScalarType.BOOL:
      return 'true or false';
    case ScalarType.BYTES:
      return 'a string of base64';
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return `a number (${name})`;
    default:
      return `a whole number (${name})`;
  }
}

function itemWords(field: DescField): string {
  if (field.enum) return `one of ${field.enum.values.map(({ name }) => `"${name}"`).join(', ')}`;
  if (!field.message) return scalarWords(field.scalar ?? ScalarType.STRING);
  const inner = wrapped(field.message);
  if (inner) return `${itemWords(inner)}, or null`;
  return wellKnown(field.message.typeName)?.words ?? `an object (${field.message.typeName})`;
}

/** What a field takes in JSON, for a sentence: `a string`, `an array, each item of which is a whole number (int64)`. */
export function expectedWords(field: DescField, part: 'whole' | 'item' = 'whole'): string {
  const item = itemWords(field);
  if (part === 'item') return item;
  if (field.fieldKind === 'list') return `an array, each item of which is ${item}`;
  return field.fieldKind === 'map' ? `an object, each value of which is ${item}` : item;
}

/** The type of a field, as a proto file would say it: `repeated account.v1.Account`, `map<string, int64>`. */
export function typeName(field: DescField): string {
  const item = field.message?.typeName ?? field.enum?.typeName ?? ScalarType[field.scalar ?? ScalarType.STRING].toLowerCase();
  if (field.fieldKind === 'map') return `map<${ScalarType[field.mapKey].toLowerCase()}, ${item}>`;
  return field.fieldKind === 'list' ? `repeated ${item}` : item;
}
