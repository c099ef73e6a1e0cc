import { fromJson, ScalarType, type DescField, type DescMessage, type JsonValue, type Registry } from '@bufbuild/protobuf';
import { reflect, type ReflectList, type ReflectMap, type ReflectMessage } from '@bufbuild/protobuf/reflect';
import { exactText } from './json-text.ts';
import { type Mistakes } from './mistakes.ts';
import { findField, join, jsonForm } from './fields.ts';
import { enumFrom, isJsNumber, scalarFromJson, textMisfit, type Fit } from './scalars.ts';

/** What reading needs besides the value. */
export interface ReadContext {
  readonly mistakes: Mistakes;
  /** For google.protobuf.Any. */
  readonly registry: Registry;
}

type ValueKind = { readonly scalar: ScalarType } | { readonly enum: NonNullable<DescField['enum']> } | { readonly message: DescMessage };

/** What a field, a list item or a map value holds. */
function kindOfValue(field: DescField): ValueKind {
  if (field.message) return { message: field.message };
  return field.enum ? { enum: field.enum } : { scalar: field.scalar ?? ScalarType.STRING };
}

/** Parsed JSON as protobuf-es wants it, or why it cannot be taken: exact numbers are for fields that can hold them. */
function plainJson(json: unknown): { readonly value: JsonValue; readonly why: string | undefined } {
  let why: string | undefined;
  const plain = (value: unknown): JsonValue => {
    const exact = exactText(value);
    if (exact !== undefined) {
      const number = Number(exact);
      if (!Number.isFinite(number)) why ??= 'holds a number that fits no double';
      return number;
    }
    if (typeof value === 'string') why ??= textMisfit(value);
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value !== 'object' || value === null) return value as JsonValue;
    for (const key of Object.keys(value)) why ??= textMisfit(key);
    // fromEntries defines own properties, so that a key `__proto__` is a key like any other.
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  };
  return { value: plain(json), why };
}

/** A message whose JSON form is its own. */
function specialFromJson(desc: DescMessage, json: unknown, { registry }: ReadContext): Fit {
  const form = jsonForm(desc);
  if (form === 'wrapper') {
    const field = desc.fields[0] as DescField;
    const inner = scalarFromJson(field.scalar ?? ScalarType.STRING, json, false);
    if ('misfit' in inner) return inner;
    const message = reflect(desc);
    message.set(field, inner.value);
    return { value: message };
  }
  const { value, why } = plainJson(json);
  if (why !== undefined) return { misfit: why };
  if (form === 'string' && typeof json !== 'string') return { misfit: `must be ${special(desc)}` };
  try {
    return { value: reflect(desc, fromJson(desc, value, { registry })) };
  } catch {
    return { misfit: `must be ${special(desc)}` };
  }
}

const EXAMPLES: Record<string, string> = {
  'google.protobuf.Timestamp': 'an RFC 3339 time, such as "2026-01-31T12:00:00Z"',
  'google.protobuf.Duration': 'a duration in seconds, such as "1.5s"',
  'google.protobuf.FieldMask': 'comma-separated field paths',
};
const special = (desc: DescMessage): string => EXAMPLES[desc.typeName] ?? `the JSON form of ${desc.typeName}`;

/** A Timestamp, Duration, FieldMask or wrapper from the text of a parameter. */
export function specialFromText(desc: DescMessage, text: string, context: ReadContext): Fit {
  if (jsonForm(desc) !== 'wrapper') return specialFromJson(desc, text, context);
  const scalar = (desc.fields[0] as DescField).scalar;
  if (scalar !== ScalarType.BOOL) return specialFromJson(desc, text, context);
  return text === 'true' || text === 'false' ? specialFromJson(desc, text === 'true', context) : { misfit: 'must be true or false' };
}

/** One value; undefined when it was wrong, which is noted. */
function readValue(kind: ValueKind, field: DescField, json: unknown, path: string, context: ReadContext): { readonly value: unknown } | undefined {
  if ('message' in kind && jsonForm(kind.message) === 'fields') {
    const message = reflect(kind.message);
    readMessage(message, json, path, context);
    return { value: message };
  }
  const fit =
    'message' in kind
      ? specialFromJson(kind.message, json, context)
      : 'enum' in kind
        ? enumFrom(kind.enum, json, 'json')
        : scalarFromJson(kind.scalar, json, isJsNumber(field));
  if (!('misfit' in fit)) return fit;
  context.mistakes.add('invalid_param', path, fit.misfit);
  return undefined;
}

const nullIsAValue = (kind: ValueKind): boolean =>
  ('message' in kind && kind.message.typeName === 'google.protobuf.Value') || ('enum' in kind && kind.enum.typeName === 'google.protobuf.NullValue');

function readItem(kind: ValueKind, field: DescField, json: unknown, path: string, context: ReadContext): { readonly value: unknown } | undefined {
  if (json !== null || nullIsAValue(kind)) {
    return 'enum' in kind && json === null ? { value: 0 } : readValue(kind, field, json, path, context);
  }
  context.mistakes.add('invalid_param', path, 'must not be null');
  return undefined;
}

function readList(list: ReflectList, field: DescField, json: unknown, path: string, context: ReadContext): void {
  if (!Array.isArray(json)) {
    context.mistakes.add('invalid_param', path, 'must be a list');
    return;
  }
  const kind = kindOfValue(field);
  for (const [index, item] of json.entries()) {
    const read = readItem(kind, field, item, `${path}[${String(index)}]`, context);
    if (read) list.add(read.value);
  }
}

function readMap(map: ReflectMap, field: DescField & { fieldKind: 'map' }, json: unknown, path: string, context: ReadContext): void {
  if (!isObject(json)) {
    context.mistakes.add('invalid_param', path, 'must be an object');
    return;
  }
  const kind = kindOfValue(field);
  for (const [name, item] of Object.entries(json)) {
    const at = `${path}["${name}"]`;
    const key = field.mapKey === ScalarType.BOOL ? scalarFromJson(field.mapKey, name === 'true' ? true : name === 'false' ? false : name, false) : scalarFromJson(field.mapKey, name, false);
    if ('misfit' in key) {
      context.mistakes.add('invalid_param', at, `as a key ${key.misfit}`);
      continue;
    }
    const read = readItem(kind, field, item, at, context);
    if (read) map.set(key.value, read.value);
  }
}

const isObject = (json: unknown): json is Record<string, unknown> => typeof json === 'object' && json !== null && !Array.isArray(json) && exactText(json) === undefined;

/** Whether null is a value of the field, and does not stand for its absence. */
export const takesNull = (field: DescField): boolean => field.fieldKind !== 'list' && field.fieldKind !== 'map' && nullIsAValue(kindOfValue(field));

/** Sets one field of `target` from JSON, noting what is wrong. */
export function readField(target: ReflectMessage, field: DescField, json: unknown, path: string, context: ReadContext): void {
  const kind = kindOfValue(field);
  if (json === null && !takesNull(field)) return; // As if absent.
  if (field.fieldKind === 'list') readList(target.get(field), field, json, path, context);
  else if (field.fieldKind === 'map') readMap(target.get(field), field, json, path, context);
  else {
    const read = readItem(kind, field, json, path, context);
    if (read) target.set(field, read.value);
  }
}

/** Sets the fields of `target` from a JSON object, noting every mistake: unknown fields, wrong types, fields given twice. */
export function readMessage(target: ReflectMessage, json: unknown, path: string, context: ReadContext): void {
  const { mistakes } = context;
  if (!isObject(json)) {
    mistakes.add('invalid_param', path === '' ? 'body' : path, 'must be an object');
    return;
  }
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(json)) {
    const field = findField(target.desc, name);
    const at = join(path, field?.name ?? name);
    if (!field) {
      mistakes.add('unknown_param', at, 'is not a field of this request');
      continue;
    }
    // A oneof counts as one field: its members exclude each other.
    const slot = field.oneof && value !== null ? `oneof ${field.oneof.name}` : field.name;
    if (seen.has(slot) || seen.has(field.name)) mistakes.add('duplicate_param', at, field.oneof ? `only one of ${field.oneof.name} may be given` : 'is given twice');
    else readField(target, field, value, at, context);
    seen.add(slot).add(field.name);
  }
}
