import { types } from 'node:util';
import { isHarmless, isPrivateMember, isSecretKey, namesSecret, REDACTED, redactText } from './secrets.ts';

/** What every format can write. */
export type Plain = string | number | boolean | null | readonly Plain[] | PlainObject;
/** Fields by name, in their order. */
export interface PlainObject {
  readonly [key: string]: Plain;
}

const MAX_DEPTH = 12;
const MAX_STRING = 8_192;
const MAX_STACK = 16_384;
const MAX_ITEMS = 100;
/** How far beyond its end a text is looked at for secrets, so that the cut goes through none. */
const LOOK_BEYOND = 2_048;
/** Of the fields and the message of an event, in bytes of JSON. */
export const MAX_EVENT = 49_152;
/** What is between two values: a comma, or a colon. */
const SEPARATOR = 1;

/** What one event may still take; all its parts share it. */
export interface Walk {
  /** In bytes of JSON. */
  left: number;
  /** The objects on the way down: one that is met again is a cycle. */
  readonly path: object[];
}

/** The walk over an event that may take so many bytes. */
export const newWalk = (left: number = MAX_EVENT): Walk => ({ left, path: [] });

/** What a value takes, in bytes of JSON. */
export const sizeOf = (value: Plain): number => Buffer.byteLength(JSON.stringify(value));

/** The text, without secrets and no longer than `most`. */
function boundedText(text: string, most: number = MAX_STRING): string {
  const redacted = redactText(text.length > most ? text.slice(0, most + LOOK_BEYOND) : text);
  if (text.length <= most && redacted.length <= most) return redacted.toWellFormed();
  const shown = redacted.slice(0, most);
  return `${shown.toWellFormed()}… (+${text.length - most > 0 ? text.length - most : redacted.length - most} characters)`;
}

/** What JSON has to escape, or takes more than a byte. */
const NOT_AS_IT_IS = /[^ !#-[\]-~]/;

/** Of a text that is longer than what is left, as much as fits. */
function spend(walk: Walk, text: string): string {
  // Most texts need no writing out to be measured.
  const cost = (NOT_AS_IT_IS.test(text) ? sizeOf(text) : text.length + 2) + SEPARATOR;
  if (cost <= walk.left) {
    walk.left -= cost;
    return text;
  }
  const shown = text.slice(0, Math.max(0, Math.floor(walk.left / (cost / text.length)) - 1)).toWellFormed();
  walk.left = 0;
  return `${shown}…`;
}

/** What is always written whole. */
function take<Value extends Plain>(walk: Walk, value: Value): Value {
  walk.left -= (typeof value === 'string' ? value.length + 2 : String(value).length) + SEPARATOR;
  return value;
}

function primitive(value: unknown, walk: Walk): Plain | undefined {
  switch (typeof value) {
    case 'string':
      return spend(walk, boundedText(value));
    case 'number':
      return take(walk, Number.isFinite(value) ? value : String(value));
    case 'boolean':
      return take(walk, value);
    case 'bigint':
      // As text, always: JSON readers round what is beyond 2^53.
      return spend(walk, boundedText(value.toString()));
    case 'symbol':
      return spend(walk, boundedText(String(value)));
    case 'function':
      return take(walk, '[function]');
    default:
      return undefined;
  }
}

/** What is shown of objects that have a text of their own; undefined for all others. */
function asText(value: object): string | undefined {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (value instanceof RegExp || value instanceof URL) return String(value);
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer || ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Promise) return '[promise]';
  return undefined;
}

/** By their tags: merely to name `Headers` makes Node load all of fetch, 10 ms and 3 MB. */
const ENTRIES: ReadonlySet<string> = new Set(['[object Map]', '[object Headers]', '[object URLSearchParams]']);
const isEntries = (value: object): value is Map<unknown, unknown> => ENTRIES.has(Object.prototype.toString.call(value)) && Symbol.iterator in value;

function* entriesOf(value: object): Generator<readonly [string, () => unknown]> {
  if (isEntries(value)) for (const [key, each] of value) yield [typeof key === 'object' && key !== null ? '[object]' : String(key), () => each];
  else for (const key of Object.keys(value)) yield [key, () => (value as Record<string, unknown>)[key]];
}

function objectOf(value: object, walk: Walk, into: Record<string, Plain> = {}): PlainObject {
  let count = 0;
  for (const [key, read] of entriesOf(value)) {
    // `__proto__` as a key would set the prototype.
    if (Object.hasOwn(into, key) || key === '__proto__') continue;
    if (++count > MAX_ITEMS || walk.left <= 0) {
      into['…'] = 'more is not shown';
      break;
    }
    const found = isPrivateMember(key, value) ? take(walk, REDACTED) : member(key, read, walk);
    if (found !== undefined) into[spend(walk, boundedText(key, 200))] = found;
  }
  return into;
}

function member(key: string, read: () => unknown, walk: Walk): Plain | undefined {
  let found: unknown;
  try {
    found = read();
  } catch {
    return take(walk, '[unreadable]');
  }
  if (found === undefined) return undefined;
  return isSecretKey(key) && !isHarmless(key, found) ? take(walk, REDACTED) : toPlain(found, walk);
}

function listOf(values: Iterable<unknown>, walk: Walk): Plain[] {
  const list: Plain[] = [];
  /** The name of a secret, which the next item is. */
  let secret: string | undefined;
  for (const value of values) {
    if (list.length >= MAX_ITEMS || walk.left <= 0) {
      list.push('… more is not shown');
      break;
    }
    const hidden = secret !== undefined && value !== undefined && !isHarmless(secret, value);
    list.push(hidden ? take(walk, REDACTED) : (toPlain(value, walk) ?? take(walk, null)));
    secret = typeof value === 'string' && namesSecret(value) ? value : undefined;
  }
  return list;
}

/** Also of another realm, such as a test's `vm`. */
const isError = (value: unknown): value is Error => value instanceof Error || types.isNativeError(value);

/** Reads what may be a getter that throws. */
function textOf(read: () => unknown): string {
  try {
    return String(read() ?? '');
  } catch {
    return '[unreadable]';
  }
}

function errorOf(error: Error, walk: Walk): PlainObject {
  const message = textOf(() => error.message);
  const stack = textOf(() => error.stack);
  const into: Record<string, Plain> = { type: spend(walk, boundedText(textOf(() => (error.name === 'Error' ? error.constructor.name : error.name)), 200)), message: spend(walk, boundedText(message)) };
  if (stack !== '') into['stack'] = spend(walk, boundedText(stack, MAX_STACK));
  // Not enumerable: `cause` and, of an AggregateError, `errors`.
  const cause = member('cause', () => error.cause, walk);
  if (cause !== undefined) into['cause'] = cause;
  const errors = member('errors', () => (error as AggregateError).errors, walk);
  if (errors !== undefined) into['errors'] = errors;
  objectOf(error, walk, into);
  if (into['name'] === into['type']) delete into['name'];
  return into;
}

function toPlain(value: unknown, walk: Walk): Plain | undefined {
  if (value === null) return take(walk, null);
  if (typeof value !== 'object') return primitive(value, walk);
  if (walk.left <= 0) return '…';
  if (walk.path.includes(value)) return take(walk, '[circular]');
  if (walk.path.length >= MAX_DEPTH) return take(walk, Array.isArray(value) ? '[array]' : '[object]');
  walk.left -= 2 + SEPARATOR;
  walk.path.push(value);
  try {
    if (isError(value)) return errorOf(value, walk);
    const text = asText(value);
    if (text !== undefined) return spend(walk, boundedText(text));
    if (Array.isArray(value) || value instanceof Set) return listOf(value, walk);
    if (!isEntries(value) && 'toJSON' in value && typeof value.toJSON === 'function') {
      const json = (value as { toJSON(): unknown }).toJSON();
      if (json !== value) return toPlain(json, walk);
    }
    return objectOf(value, walk);
  } catch {
    return take(walk, '[unreadable]');
  } finally {
    walk.path.pop();
  }
}

/** What can be written of the message of an event. */
export function plainMessage(message: unknown, walk: Walk): string {
  return spend(walk, boundedText(String(message)));
}

/**
 * What can be written of the fields of an event: plain values without secrets, whatever is in them (cycles, errors, getters
 * that throw), and no more than the walk has left. Fields that are undefined are left out. Never throws.
 */
export function plainFields(fields: unknown, walk: Walk): PlainObject {
  const found = toPlain(fields, walk);
  if (typeof found !== 'object' || found === null || Array.isArray(found)) return found === undefined || found === null ? {} : { fields: found };
  // An error in the place of the fields.
  return isError(fields) ? { err: found } : (found as PlainObject);
}
