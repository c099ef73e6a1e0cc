import { ScalarType, type DescEnum, type DescField, type DescMessage } from '@bufbuild/protobuf';
import { WIDE } from '../schemas/scalar-schema.ts';
import { type Json, type JsonObject } from '../types.ts';

const isObject = (json: Json | undefined): json is JsonObject => typeof json === 'object' && json !== null && !Array.isArray(json);
const text = (value: string): string => `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
const key = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : text(name));
const object = (entries: readonly (readonly [string, string])[]): string => (entries.length === 0 ? '{}' : `{ ${entries.map(([name, value]) => `${key(name)}: ${value}`).join(', ')} }`);

/** How ts-proto names a nested type: `Outer_Inner`. */
export function localName(desc: DescMessage | DescEnum): string {
  return desc.parent ? `${localName(desc.parent)}_${desc.name}` : desc.name;
}

/** A field's name in ts-proto's messages: its JSON name. */
const camel = (field: DescField): string => field.jsonName;

function scalar(type: ScalarType, json: Json): string {
  if (type === ScalarType.BYTES) return `Buffer.from(${text(String(json))}, 'base64')`;
  if (type === ScalarType.STRING) return text(String(json));
  // forceLong=bigint: also where JSON has a number.
  return WIDE.has(type) ? `${String(json)}n` : String(json);
}

function duration(json: Json): string {
  const [, sign = '', seconds = '0', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?s$/.exec(String(json)) ?? [];
  return `{ seconds: ${sign}${seconds}n, nanos: ${sign}${String(Number(fraction.padEnd(9, '0')))} }`;
}

function special(desc: DescMessage, json: Json): string {
  switch (desc.typeName) {
    case 'google.protobuf.Timestamp':
      return `new Date(${text(String(json))})`;
    case 'google.protobuf.Duration':
      return duration(json);
    case 'google.protobuf.FieldMask':
      // ts-proto keeps proto names in masks.
      return `[${String(json).split(',').filter((path) => path !== '').map((path) => text(path.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))).join(', ')}]`;
    default: {
      const wrapped = desc.fields.length === 1 ? desc.fields[0] : undefined;
      return wrapped?.scalar !== undefined && desc.name.endsWith('Value') ? scalar(wrapped.scalar, json) : JSON.stringify(json);
    }
  }
}

/** The enums that a literal names, for its imports. */
export type Enums = Set<DescEnum>;

function value(field: DescField, json: Json, enums: Enums): string {
  const { message } = field;
  if (message) return message.typeName.startsWith('google.protobuf.') ? special(message, json) : tsLiteral(message, json, enums);
  if (field.enum) {
    enums.add(field.enum);
    return `${localName(field.enum)}.${String(json)}`;
  }
  return scalar(field.scalar ?? ScalarType.STRING, json);
}

function fieldLiteral(field: DescField, json: Json, enums: Enums): string {
  if (field.fieldKind === 'list') return `[${(json as readonly Json[]).map((item) => value(field, item, enums)).join(', ')}]`;
  if (field.fieldKind === 'map') return object(Object.entries(json as JsonObject).map(([name, item]) => [name, value(field, item, enums)]));
  return value(field, json, enums);
}

/** A message in proto3 JSON with proto names, as the partial message that a typed client takes. */
export function tsLiteral(desc: DescMessage, json: Json, enums: Enums): string {
  if (!isObject(json)) return '{}';
  const entries = desc.fields.flatMap((field): (readonly [string, string])[] => {
    const given = json[field.name];
    if (given === undefined) return [];
    const literal = fieldLiteral(field, given, enums);
    return [field.oneof ? [field.oneof.localName, `{ $case: ${text(camel(field))}, value: ${literal} }`] : [camel(field), literal]];
  });
  return object(entries);
}
