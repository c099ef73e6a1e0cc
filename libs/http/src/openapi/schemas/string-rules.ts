import { isIPv4, isIPv6 } from 'node:net';
import { type Json, type JsonObject } from '../types.ts';
import { every, inWords, keyword, noneOf, oneOf, type Constraint } from './constraint.ts';

const text = (value: Json): string => (typeof value === 'string' ? value : '');
const characters = (value: Json): number => [...text(value)].length;
const bytes = (value: Json): number => Buffer.byteLength(text(value));
const escaped = (literal: string): string => literal.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&').replaceAll('\\-', '-');
const matches = (pattern: string): Constraint => {
  const regExp = new RegExp(pattern, 'u');
  return keyword({ pattern }, (value) => regExp.test(text(value)));
};

/** RE2's syntax is not quite that of ECMAScript, which JSON Schema uses. */
function re2(pattern: string): Constraint {
  try {
    return matches(pattern);
  } catch {
    return inWords(`Must match the RE2 expression \`${pattern}\`.`, () => false);
  }
}

const isUri = (value: Json): boolean => /^[A-Za-z][A-Za-z0-9+.-]*:[^\s]*$/.test(text(value));
const HOST = /^(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?$/;
const isHost = (value: Json): boolean => HOST.test(text(value));
const UUID = /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/;

/** Rules that name a format, when they are true. */
const FORMATS: Readonly<Record<string, Constraint>> = {
  email: keyword({ format: 'email' }, (value) => /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[^@\s]+$/.test(text(value))),
  hostname: keyword({ format: 'hostname' }, isHost),
  ip: keyword({ anyOf: [{ format: 'ipv4' }, { format: 'ipv6' }] }, (value) => isIPv4(text(value)) || isIPv6(text(value))),
  ipv4: keyword({ format: 'ipv4' }, (value) => isIPv4(text(value))),
  ipv6: keyword({ format: 'ipv6' }, (value) => isIPv6(text(value))),
  uri: keyword({ format: 'uri' }, isUri),
  uri_ref: keyword({ format: 'uri-reference' }, (value) => !/\s/.test(text(value))),
  uuid: keyword({ format: 'uuid' }, (value) => UUID.test(text(value))),
  tuuid: matches('^[0-9a-fA-F]{32}$'),
  ulid: matches('^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$'),
  address: inWords('Must be a host name or an IP address.', (value) => isHost(value) || isIPv6(text(value))),
  host_and_port: inWords('Must be a host and a port, such as `example.com:443`.', (value) => /^\S+:\d+$/.test(text(value))),
  ip_with_prefixlen: inWords('Must be an IP address with the length of its prefix, such as `192.0.2.1/24`.', (value) => /^\S+\/\d+$/.test(text(value))),
  ipv4_with_prefixlen: inWords('Must be an IPv4 address with the length of its prefix, such as `192.0.2.1/24`.', (value) => /^[\d.]+\/\d+$/.test(text(value))),
  ipv6_with_prefixlen: inWords('Must be an IPv6 address with the length of its prefix, such as `2001:db8::1/64`.', (value) => /^[\da-fA-F:.]+\/\d+$/.test(text(value))),
  ip_prefix: inWords('Must be an IP prefix, such as `192.0.2.0/24`.', (value) => /^\S+\/\d+$/.test(text(value))),
  ipv4_prefix: inWords('Must be an IPv4 prefix, such as `192.0.2.0/24`.', (value) => /^[\d.]+\/\d+$/.test(text(value))),
  ipv6_prefix: inWords('Must be an IPv6 prefix, such as `2001:db8::/64`.', (value) => /^[\da-fA-F:.]+\/\d+$/.test(text(value))),
  well_known_regex: inWords('Must be the name or the value of an HTTP header.', (value) => /^[A-Za-z0-9-]+$/.test(text(value))),
};

type Maker = (given: Json) => Constraint;
const number = (make: (limit: number) => Constraint): Maker => (given) => make(Number(given));
const list = (given: Json): readonly Json[] => (Array.isArray(given) ? (given as readonly Json[]) : []);

const MAKERS: Readonly<Record<string, Maker>> = {
  const: (given) => oneOf([given]),
  in: (given) => oneOf(list(given)),
  not_in: (given) => noneOf(list(given)),
  len: number((limit) => keyword({ minLength: limit, maxLength: limit }, (value) => characters(value) === limit)),
  min_len: number((limit) => keyword({ minLength: limit }, (value) => characters(value) >= limit)),
  max_len: number((limit) => keyword({ maxLength: limit }, (value) => characters(value) <= limit)),
  len_bytes: number((limit) => inWords(`Must have ${String(limit)} bytes in UTF-8.`, (value) => bytes(value) === limit)),
  min_bytes: number((limit) => inWords(`Must have at least ${String(limit)} bytes in UTF-8.`, (value) => bytes(value) >= limit)),
  max_bytes: number((limit) => inWords(`Must have at most ${String(limit)} bytes in UTF-8.`, (value) => bytes(value) <= limit)),
  pattern: (given) => re2(text(given)),
  prefix: (given) => matches(`^${escaped(text(given))}`),
  suffix: (given) => matches(`${escaped(text(given))}$`),
  contains: (given) => matches(escaped(text(given))),
  not_contains: (given) => keyword({ not: { pattern: escaped(text(given)) } }, (value) => !text(value).includes(text(given))),
};

/** What `buf.validate.StringRules` asks. */
export function stringConstraint(rules: JsonObject): Constraint {
  return every(
    Object.entries(rules).flatMap(([name, given]) => {
      const made = MAKERS[name]?.(given) ?? (given === true || name === 'well_known_regex' ? FORMATS[name] : undefined);
      return made ? [made] : [];
    }),
  );
}
