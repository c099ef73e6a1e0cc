import { ScalarType, type DescField, type DescMessage, type Registry } from '@bufbuild/protobuf';
import { jsonForm } from '../../transcode/fields.ts';
import { commentOf } from '../comments.ts';
import { FREE } from '../schemas/constraint.ts';
import { fieldConstraint, isRequired } from '../schemas/field-schema.ts';
import { fieldRules, oneofRequired, rulesFrom, type Rules } from '../schemas/rules.ts';
import { stringConstraint } from '../schemas/string-rules.ts';
import { valueConstraint } from '../schemas/value-rules.ts';
import { type Json, type JsonObject } from '../types.ts';
import { exampleIn } from './from-comment.ts';
import { scalarExample, type Example } from './scalar-example.ts';

/** What an example is made from. */
export interface ExampleContext {
  readonly registry: Registry;
  /** Messages whose fields say what ids look like: what the method answers, and what its file declares. */
  readonly known?: readonly DescMessage[];
}

const SPECIAL: Readonly<Record<string, Json>> = {
  'google.protobuf.Timestamp': '2026-01-31T12:00:00Z',
  'google.protobuf.Duration': '60s',
  'google.protobuf.Struct': { key: 'value' },
  'google.protobuf.Value': 'value',
  'google.protobuf.ListValue': ['value'],
};

/** Rules of times that look at the clock. */
const IN_FUTURE = '2099-01-31T12:00:00Z';

/** The example in the comment of a field of this name in one of these messages or what they hold; `thing_id` is the id of a `Thing`. */
function hintFor(name: string, known: readonly DescMessage[] = []): string | undefined {
  const seen = new Set<DescMessage>();
  const owner = name.endsWith('_id') ? name.slice(0, -3).replaceAll('_', '') : undefined;
  const visit = (at: DescMessage): string | undefined => {
    if (seen.has(at)) return undefined;
    seen.add(at);
    const own = at.fields.find((field) => field.name === name || (field.name === 'id' && at.name.toLowerCase() === owner));
    const told = own && exampleIn(commentOf(own));
    return told ?? first(at.fields.flatMap(({ message }) => (message && jsonForm(message) === 'fields' ? [message] : [])));
  };
  const first = (messages: readonly DescMessage[]): string | undefined => {
    for (const message of messages) {
      const found = visit(message);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return first(known);
}

/** What a mask in this message is about: the message beside it, and a field there that may be written. */
function masked(desc: DescMessage): { readonly beside: DescField; readonly writable: DescField } | undefined {
  for (const beside of desc.fields) {
    const fields = beside.fieldKind === 'message' && jsonForm(beside.message) === 'fields' ? beside.message.fields : [];
    const writable = fields.find(({ name, fieldKind }) => fieldKind === 'scalar' && !['id', 'name', 'etag'].includes(name));
    if (writable) return { beside, writable };
  }
  return undefined;
}

const isMask = ({ fieldKind, message }: DescField): boolean => fieldKind === 'message' && message?.typeName === 'google.protobuf.FieldMask';

/** The example with the field that its mask names: without it the call would empty the field. */
function withMasked(desc: DescMessage, example: JsonObject, within: readonly DescMessage[], context: ExampleContext): JsonObject {
  const about = desc.fields.some(isMask) ? masked(desc) : undefined;
  const beside = about && example[about.beside.name];
  if (!about || typeof beside !== 'object' || beside === null || Array.isArray(beside) || Object.hasOwn(beside, about.writable.name)) return example;
  const value = fieldExample(about.writable, within, context)?.value;
  return value === undefined ? example : { ...example, [about.beside.name]: { ...(beside as JsonObject), [about.writable.name]: value } };
}

function specialExample(desc: DescMessage, field: DescField, rules: Rules, context: ExampleContext): Example | undefined {
  if (desc.typeName === 'google.protobuf.FieldMask') return { value: masked(field.parent)?.writable.jsonName ?? '', telling: true };
  if (jsonForm(desc) === 'wrapper') {
    const inner = desc.fields[0];
    return inner?.scalar === undefined ? undefined : scalarExample(inner.scalar, inner, rules.typed, valueConstraint(field, rules.typed), hintFor(field.name, context.known));
  }
  const value = rules.typed['const'] ?? (rules.typed['gt_now'] === true ? IN_FUTURE : SPECIAL[desc.typeName]);
  return value === undefined ? undefined : { value, telling: Object.keys(rules.typed).length > 0 };
}

function valueExample(field: DescField, rules: Rules, within: readonly DescMessage[], context: ExampleContext): Example | undefined {
  const { message } = field;
  if (message) {
    if (jsonForm(message) !== 'fields') return specialExample(message, field, rules, context);
    if (within.includes(message)) return undefined;
    const value = messageExample(message, [...within, message], context);
    return value && { value, telling: Object.keys(value).length > 0 };
  }
  const constraint = field.fieldKind === 'list' || field.fieldKind === 'map' ? valueConstraint(field, rules.typed) : fieldConstraint(field, rules);
  if (field.enum) {
    const named = [...field.enum.values.slice(1), ...field.enum.values.slice(0, 1)].find(({ name }) => constraint.fits(name));
    return named && { value: named.name, telling: true };
  }
  return scalarExample(field.scalar ?? ScalarType.STRING, field, rules.typed, constraint, hintFor(field.name, context.known));
}

const part = (rules: Rules, name: string): Rules => rulesFrom(rules.typed[name]);

function listExample(field: DescField, rules: Rules, within: readonly DescMessage[], context: ExampleContext): Example | undefined {
  const items = part(rules, 'items');
  const one = valueExample(field, items, within, context);
  if (!one) return undefined;
  const least = Math.max(1, Number(rules.typed['min_items'] ?? 1));
  const values = Array.from({ length: least }, (_, index) => (index > 0 && rules.typed['unique'] === true && typeof one.value === 'string' ? `${one.value}${String(index + 1)}` : one.value));
  return { value: values, telling: one.telling };
}

function mapExample(field: DescField & { fieldKind: 'map' }, rules: Rules, within: readonly DescMessage[], context: ExampleContext): Example | undefined {
  const one = valueExample(field, part(rules, 'values'), within, context);
  const keys = part(rules, 'keys').typed;
  const constraint = field.mapKey === ScalarType.STRING ? stringConstraint(keys) : FREE;
  const key = field.mapKey === ScalarType.BOOL ? 'true' : scalarExample(field.mapKey, field, keys, constraint, 'key')?.value;
  return one && key !== undefined && key !== null ? { value: { [String(key)]: one.value }, telling: one.telling } : undefined;
}

function fieldExample(field: DescField, within: readonly DescMessage[], context: ExampleContext): Example | undefined {
  const rules = fieldRules(field, context.registry);
  if (field.fieldKind === 'list') return listExample(field, rules, within, context);
  if (field.fieldKind === 'map') return mapExample(field, rules, within, context);
  return valueExample(field, rules, within, context);
}

/**
 * An example of a message, in proto3 JSON with proto names: what must be given, and of the rest what rules or comments give a
 * meaning to. Undefined when no value is known for something that must be given.
 */
export function messageExample(desc: DescMessage, within: readonly DescMessage[], context: ExampleContext): JsonObject | undefined {
  const found: [string, Json][] = [];
  const decided = new Set<unknown>();
  for (const field of desc.fields) {
    const needed = isRequired(field, context.registry) || (field.oneof !== undefined && oneofRequired(field.oneof, context.registry));
    if (field.deprecated && !needed) continue;
    if (field.oneof && decided.has(field.oneof)) continue;
    const example = fieldExample(field, within, context);
    if (!example && needed && !field.oneof) return undefined;
    if (!example || (!needed && !example.telling)) continue;
    found.push([field.name, example.value]);
    if (field.oneof) decided.add(field.oneof);
  }
  return withMasked(desc, Object.fromEntries(found), within, context);
}
