import { badRequest, type ServiceError } from '@talaria/errors';

/** Deeper requests are refused; protobuf's own recursion limit. */
export const MAX_DEPTH = 100;

const EXACT = Symbol('exact number');

/** A number whose JSON text a double would change, kept as text. JSON itself cannot make one. */
export interface ExactNumber {
  readonly [EXACT]: string;
}

/** The text of a number that a double would change; undefined for everything else. */
export function exactText(value: unknown): string | undefined {
  return typeof value === 'object' && value !== null && EXACT in value ? (value as ExactNumber)[EXACT] : undefined;
}

/** The reviver of ES2025 (JSON.parse source text access), which TypeScript's lib does not know yet. */
type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;
const parseWithSource = JSON.parse as (text: string, reviver: Reviver) => unknown;

const keepExact: Reviver = (_key, value, { source }) =>
  typeof value === 'number' && source !== undefined && String(value) !== source ? { [EXACT]: source } : value;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The text of a body. Throws `bad_request.invalid_utf8`. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw badRequest('invalid_utf8', 'The body is not valid UTF-8.', { cause, violations: [{ field: 'body', description: 'is not valid UTF-8' }] });
  }
}

function tooDeep(): ServiceError {
  const limit = `deeper than ${String(MAX_DEPTH)} levels`;
  return badRequest('too_deep', `The body is nested ${limit}.`, { params: { limit: String(MAX_DEPTH) }, violations: [{ field: 'body', description: `is nested ${limit}` }] });
}

/**
 * What JSON.parse would not say: nesting deeper than MAX_DEPTH (on which reviving could overflow the stack) and keys that
 * stand twice in one object (of which all but the last would be lost). Runs before the parse, so it tolerates bad syntax.
 */
function checkShape(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === 0x22 /* " */) {
      const start = at;
      for (at++; at < text.length && text.charCodeAt(at) !== 0x22; at++) if (text.charCodeAt(at) === 0x5c /* \ */) at++;
      const keys = open.at(-1);
      if (keys) noteKey(text, start, at, keys);
    } else if (character === 0x7b /* { */ || character === 0x5b /* [ */) {
      open.push(character === 0x7b ? new Set() : undefined);
      if (open.length > MAX_DEPTH) throw tooDeep();
    } else if (character === 0x7d /* } */ || character === 0x5d /* ] */) open.pop();
  }
}

const COLON_NEXT = /[ \t\r\n]*:/y;

function noteKey(text: string, start: number, end: number, keys: Set<string>): void {
  COLON_NEXT.lastIndex = end + 1;
  if (!COLON_NEXT.test(text)) return;
  let key: string;
  try {
    key = JSON.parse(text.slice(start, end + 1)) as string;
  } catch {
    return; // The parse that follows says what is wrong.
  }
  if (keys.has(key)) {
    const field = key.slice(0, 200).toWellFormed();
    throw badRequest('duplicate_param', `${field}: is given twice`, { params: { param: field }, violations: [{ field, description: 'is given twice' }] });
  }
  keys.add(key);
}

/** Strictly parsed JSON, with numbers that a double would change kept exactly. Throws `bad_request.…`. */
export function parseJson(text: string): unknown {
  checkShape(text);
  try {
    return parseWithSource(text, keepExact);
  } catch (cause) {
    // V8's message would quote the body.
    throw badRequest('invalid_json', 'The body is not valid JSON.', { cause, violations: [{ field: 'body', description: 'is not valid JSON' }] });
  }
}
