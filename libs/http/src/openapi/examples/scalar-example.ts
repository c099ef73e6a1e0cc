import { ScalarType, type DescField } from '@bufbuild/protobuf';
import { commentOf } from '../comments.ts';
import { type Constraint } from '../schemas/constraint.ts';
import { isTextNumber } from '../schemas/scalar-schema.ts';
import { type Json, type JsonObject } from '../types.ts';
import { exampleIn } from './from-comment.ts';
import { regexSample } from './regex-sample.ts';

/** A value, and whether it means something: one that only fills a hole is left out where the field may be. */
export interface Example {
  readonly value: Json;
  readonly telling: boolean;
}

const telling = (value: Json): Example => ({ value, telling: true });
const filler = (value: Json): Example => ({ value, telling: false });

/** What the names of fields usually stand for. */
const BY_NAME: readonly (readonly [RegExp, string])[] = [
  [/(^|_)(url|uri)$/, 'https://example.com/'],
  [/(^|_)email$/, 'peter@example.com'],
];

const BY_FORMAT: Readonly<Record<string, string>> = {
  email: 'peter@example.com',
  hostname: 'example.com',
  ip: '192.0.2.1',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  uri_ref: '/things/1',
  uuid: '0190a6e5-7c3e-7b1a-9c41-5f0f3a1b2c4d',
  tuuid: '0190a6e57c3e7b1a9c415f0f3a1b2c4d',
  ulid: '01J9ZQ6D3M3V9Y7P0E4W7S2X1A',
  address: 'example.com',
  host_and_port: 'example.com:443',
  ip_with_prefixlen: '192.0.2.1/24',
  ipv4_with_prefixlen: '192.0.2.1/24',
  ipv6_with_prefixlen: '2001:db8::1/64',
  ip_prefix: '192.0.2.0/24',
  ipv4_prefix: '192.0.2.0/24',
  ipv6_prefix: '2001:db8::/64',
  well_known_regex: 'x-example',
};

const listOf = (json: Json | undefined): readonly Json[] => (Array.isArray(json) ? (json as readonly Json[]) : []);
const textOf = (json: Json | undefined): string => (typeof json === 'string' ? json : '');

function stringExample(field: DescField, rules: JsonObject, fits: (value: Json) => boolean, hint: string | undefined): Example | undefined {
  const format = Object.keys(rules).find((name) => Object.hasOwn(BY_FORMAT, name) && rules[name] !== false);
  const known = [exampleIn(commentOf(field)), rules['const'], ...listOf(rules['in']), hint, format === undefined ? undefined : BY_FORMAT[format], BY_NAME.find(([name]) => name.test(field.name))?.[1]];
  const told = known.find((value) => value !== undefined && fits(value));
  if (told !== undefined) return telling(told);
  const pattern = textOf(rules['pattern']);
  const matched = pattern === '' ? undefined : regexSample(pattern, fits);
  if (matched !== undefined) return telling(matched);
  const words = field.name.replaceAll('_', ' ');
  const stem = field.name.endsWith('_id') ? `${field.name.slice(0, -3)}_1` : field.name === 'id' ? 'id_1' : `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
  const framed = `${textOf(rules['prefix'])}${textOf(rules['contains'])}${stem}${textOf(rules['suffix'])}`;
  const least = Math.min(Number(rules['min_len'] ?? rules['len'] ?? rules['min_bytes'] ?? rules['len_bytes'] ?? 0), 1000);
  const sizes = [framed, framed.padEnd(least, 'x'), stem.slice(0, Math.max(least, 1)), 'x'.repeat(Math.max(least, 1)), 'a', 'A', '1'];
  const made = sizes.find(fits);
  return made === undefined ? undefined : filler(made);
}

/** Near a limit: exactly, where a double would round. */
function near(limit: Json): readonly string[] {
  const text = String(limit);
  if (/^-?\d+$/.test(text)) return [0n, 1n, -1n].map((step) => String(BigInt(text) + step));
  return [0, 1, -1, 0.5, -0.5].map((step) => String(Number(text) + step));
}

function numberExample(rules: JsonObject, asText: boolean, fits: (value: Json) => boolean): Example | undefined {
  const limits = ['gte', 'lte', 'gt', 'lt'].flatMap((name) => (rules[name] === undefined ? [] : near(rules[name])));
  const candidates = [rules['const'], ...listOf(rules['in']), 10, 1, 100, 0, ...limits];
  const found = candidates.filter((value) => value !== undefined).map((value) => (asText ? String(value) : Number(value))).find(fits);
  if (found === undefined) return undefined;
  return Object.keys(rules).length > 0 ? telling(found) : filler(found);
}

/** An example of one scalar; `hint` is what a field of that name is like elsewhere. Undefined when nothing is known to fit. */
export function scalarExample(scalar: ScalarType, field: DescField, rules: JsonObject, constraint: Constraint, hint: string | undefined): Example | undefined {
  const fits = (value: Json): boolean => constraint.fits(value);
  switch (scalar) {
    case ScalarType.STRING:
      return stringExample(field, rules, fits, hint);
    case ScalarType.BOOL:
      return fits(true) ? filler(true) : filler(false);
    case ScalarType.BYTES: {
      const least = Math.min(Number(rules['min_len'] ?? rules['len'] ?? 0), 1000);
      const candidates = [rules['const'], ...listOf(rules['in']), Buffer.from('Hello').toString('base64'), Buffer.alloc(least, 'x').toString('base64'), Buffer.from('x').toString('base64')];
      const found = candidates.find((value) => value !== undefined && fits(value));
      return found === undefined ? undefined : filler(found);
    }
    default:
      return numberExample(rules, isTextNumber(scalar, field), fits);
  }
}
