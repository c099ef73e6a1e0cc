import type { Plain, PlainObject } from './plain.ts';

/** How events are written: for people, or for machines as JSON or logfmt. */
export type LogFormat = 'pretty' | 'json' | 'logfmt';

/** One event, ready to be written. */
export interface LogEvent {
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly level: string;
  readonly fields: PlainObject;
  readonly message: string;
}

/** What an event's own members are called; a field of that name gets a `_` behind it. */
export const RESERVED: ReadonlySet<string> = new Set(['time', 'level', 'msg']);

const escapeOf = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** What ends a line for some reader, moves a terminal's cursor, or turns the direction of a text. JSON.stringify escapes only some of these. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text on one line, without anything that a terminal would obey. */
export function oneLine(text: string): string {
  return text.replace(CONTROL, (character) => NAMED[character] ?? escapeOf(character));
}

/** As JSON, on one line for every reader of lines. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(CONTROL, escapeOf);
}

/** One object of JSON a line. */
export function formatJson({ time, level, fields, message }: LogEvent): string {
  return jsonText({ time: new Date(time).toISOString(), level, ...fields, msg: message });
}

/** Whether a value has to be quoted: it could be read otherwise, or end early. */
const NEEDS_QUOTES = /[\s="\\`]|^$/;

/** A key or a value of `key=value`. */
export function logfmtValue(value: Plain): string {
  if (typeof value === 'object' && value !== null) return logfmtText(jsonText(value));
  return typeof value === 'string' ? logfmtText(value) : String(value);
}

function logfmtText(text: string): string {
  const escaped = oneLine(text);
  return escaped !== text || NEEDS_QUOTES.test(text) ? jsonText(text) : text;
}

/** A key can be quoted nowhere. */
export function logfmtKey(key: string): string {
  return oneLine(key).replace(/[\s="\\]/g, '_') || '_';
}

function* pairs(fields: PlainObject, prefix = ''): Generator<string> {
  for (const [key, value] of Object.entries(fields)) {
    const name = prefix + logfmtKey(key);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) yield* pairs(value as PlainObject, `${name}.`);
    else yield `${name}=${logfmtValue(value)}`;
  }
}

/** `key=value` pairs; members of objects are named with dots, lists are JSON. Source: https://brandur.org/logfmt */
export function formatLogfmt({ time, level, fields, message }: LogEvent): string {
  return [`time=${new Date(time).toISOString()}`, `level=${level}`, ...pairs(fields), `msg=${logfmtValue(message)}`].join(' ');
}
