import { DURATION_KEYWORD, formatDuration, LONGEST_TIMER_MS } from '../duration.ts';
import { isRecord } from './json.ts';

type Schema = Readonly<Record<string, unknown>>;

const FORMATS: Readonly<Record<string, string>> = {
  uri: 'a URL',
  email: 'an e-mail address',
  'date-time': 'a time such as 2026-01-31T12:00:00Z',
  date: 'a date such as 2026-01-31',
  uuid: 'a UUID',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
};
const MAX_DEPTH = 3;
/** The greatest and the least number that zod allows for any integer say nothing to people. */
const isBound = (value: unknown): value is number => typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER;

/** `a, b or c`. */
export function orList(words: readonly string[]): string {
  const all = [...new Set(words)];
  return all.length < 2 ? (all[0] ?? 'nothing') : `${all.slice(0, -1).join(', ')} or ${all.at(-1)}`;
}

/** What a JSON Schema asks for, in a few words: `a number from 0 to 1`. A title of the schema goes before everything. */
export function schemaWords(schema: unknown, root: Schema = isRecord(schema) ? schema : {}, depth = 0): string {
  if (!isRecord(schema) || depth > MAX_DEPTH) return 'any value';
  if (typeof schema['title'] === 'string') return schema['title'];
  if (isRecord(schema[DURATION_KEYWORD])) return durationWords(schema[DURATION_KEYWORD]);
  const inner = (each: unknown): string => schemaWords(each, root, depth + 1);
  const { $ref, anyOf, oneOf, type } = schema;
  if (typeof $ref === 'string') return inner(referred(root, $ref));
  if ('const' in schema) return JSON.stringify(schema['const']);
  if (Array.isArray(schema['enum'])) return `${schema['enum'].length > 1 ? 'one of ' : ''}${orList(schema['enum'].map((each) => JSON.stringify(each)))}`;
  const union = Array.isArray(anyOf) ? anyOf : oneOf;
  if (Array.isArray(union)) return orList(union.map(inner));
  if (Array.isArray(type)) return orList(type.map((each) => inner({ ...schema, type: each as unknown })));
  switch (type) {
    case 'boolean':
      return 'true or false';
    case 'null':
      return 'null';
    case 'integer':
      return `a whole number${range(schema)}`;
    case 'number':
      return `a number${range(schema)}`;
    case 'string':
      return stringWords(schema);
    case 'array':
      return `a list of ${schema['prefixItems'] === undefined ? plural(inner(schema['items'] ?? true)) : 'certain items'}${count(schema['minItems'], schema['maxItems'])}`;
    case 'object':
      return objectWords(schema, inner);
    default:
      return 'any JSON value';
  }
}

/** The part of a document that a `$ref` such as `#/$defs/x` names. */
function referred(root: Schema, ref: string): unknown {
  return ref
    .replace(/^#\/?/, '')
    .split('/')
    .filter(Boolean)
    .reduce<unknown>((at, part) => (isRecord(at) ? at[part.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined), root);
}

function range({ minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: Schema): string {
  const parts: string[] = [];
  if (isBound(minimum) && isBound(maximum)) parts.push(`from ${minimum} to ${maximum}`);
  else {
    if (isBound(minimum)) parts.push(`of at least ${minimum}`);
    if (isBound(exclusiveMinimum)) parts.push(`above ${exclusiveMinimum}`);
    if (isBound(maximum)) parts.push(`of at most ${maximum}`);
    if (isBound(exclusiveMaximum)) parts.push(`below ${exclusiveMaximum}`);
  }
  if (isBound(multipleOf)) parts.push(`that is a multiple of ${multipleOf}`);
  return parts.length === 0 ? '' : ` ${parts.join(' and ')}`;
}

function durationWords({ min, max }: Schema): string {
  const [least, most] = [typeof min === 'number' ? min : 0, typeof max === 'number' ? max : LONGEST_TIMER_MS];
  const bounds = most < LONGEST_TIMER_MS ? ` from ${formatDuration(least)} to ${formatDuration(most)}` : least > 0 ? ` of at least ${formatDuration(least)}` : '';
  return `a time${bounds}, such as 500ms, 10s or 1h30m`;
}

function size(least: unknown, most: unknown): string {
  const from = isBound(least) && least > 0 ? least : undefined;
  const to = isBound(most) ? most : undefined;
  if (from !== undefined && from === to) return ` of ${from}`;
  if (from !== undefined && to !== undefined) return ` of ${from} to ${to}`;
  if (from !== undefined) return ` of at least ${from}`;
  return to === undefined ? '' : ` of at most ${to}`;
}

function count(least: unknown, most: unknown): string {
  const words = size(least, most).replace(/^ of /, '');
  return words === '' ? '' : ` (${words})`;
}

function stringWords(schema: Schema): string {
  const { format, pattern, minLength, maxLength, examples } = schema;
  const example = Array.isArray(examples) && examples.length > 0 ? ` such as ${orList(examples.map((each) => JSON.stringify(each)))}` : '';
  if (typeof format === 'string') return FORMATS[format] ?? `a text in the format ${format}${example}`;
  if (example !== '') return `a text${example}`;
  if (typeof pattern === 'string') return `a text that matches ${pattern.length > 60 ? 'its pattern' : `/${pattern}/`}`;
  const long = size(minLength, maxLength);
  return long === '' ? 'a text' : `a text${long} character${minLength === 1 && maxLength === undefined ? '' : 's'}`;
}

function objectWords(schema: Schema, inner: (each: unknown) => string): string {
  const properties = isRecord(schema['properties']) ? Object.keys(schema['properties']) : [];
  if (properties.length > 0) return `an object with ${properties.map((name) => JSON.stringify(name)).join(', ')}`;
  return isRecord(schema['additionalProperties']) ? `an object of names, each with ${inner(schema['additionalProperties'])}` : 'an object';
}

/** `a number` → `numbers`: for the items of a list. */
function plural(words: string): string {
  const [, head = '', rest = ''] = /^an? ((?:whole )?(?:number|text|list|object|URL|time))\b(.*)$/s.exec(words) ?? [];
  return head === '' ? `items, each ${words}` : `${head}s${rest}`;
}
