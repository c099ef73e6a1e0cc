import type { JsonValue } from '@bufbuild/protobuf';

/** A place in what a person wrote; both count from 1, columns in UTF-16 code units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A value together with where it stands, so that an error can say so. */
export interface JsonText {
  readonly value: JsonValue;
  readonly position: Position;
  /** The parts of an object or an array, by key or index; empty for everything else. */
  readonly parts: ReadonlyMap<string | number, JsonText>;
}

/** The text is no JSON: what is expected, and where. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';
  readonly position: Position;

  constructor(message: string, position: Position) {
    super(message);
    this.position = position;
  }
}

/** Deeper than any message, and far from where the stack ends. */
const MAX_DEPTH = 500;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z_$][\w$]*/y;
const LITERALS: Readonly<Record<string, JsonValue>> = { true: true, false: false, null: null };

/**
 * Reads one JSON value (RFC 8259) that fills `text`, which begins at `start`. Throws a `JsonSyntaxError`. Unlike JSON.parse it
 * knows where everything stands, and keeps an integer that a JavaScript number would round: as a string of its digits, which
 * proto JSON takes for one.
 */
export function parseJson(text: string, start: Position = { line: 1, column: 1 }): JsonText {
  let at = 0;
  // Where the last position was asked for: positions are asked for in order, so that nothing is counted twice.
  let counted = { offset: 0, line: start.line, lineStart: 1 - start.column };

  const positionOf = (offset: number): Position => {
    if (offset < counted.offset) counted = { offset: 0, line: start.line, lineStart: 1 - start.column };
    let { line, lineStart } = counted;
    for (let next = text.indexOf('\n', counted.offset); next >= 0 && next < offset; next = text.indexOf('\n', next + 1)) [line, lineStart] = [line + 1, next + 1];
    counted = { offset, line, lineStart };
    return { line, column: offset - lineStart + 1 };
  };
  const fail = (expected: string, offset = at): never => {
    throw new JsonSyntaxError(expected, positionOf(offset));
  };
  const found = (): string => (at >= text.length ? 'the text ends' : `there is ${JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0))}`);
  const skip = (): void => {
    while (at < text.length && ' \t\n\r'.includes(text[at] ?? '')) at++;
  };

  const readString = (): string => {
    const begin = at++;
    for (; ; at++) {
      const character = text[at];
      if (character === '"') break;
      if (character === undefined) fail('the text ends inside of a string: its closing " is missing', begin);
      else if (character < ' ') fail(`a string holds ${character === '\n' ? 'a line break: write \\n' : 'a control character: write it as \\u00…'}, or is its closing " missing?`);
      else if (character === '\\') {
        if (!/^(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.test(text.slice(at + 1, at + 6))) fail('after \\ one of " \\ / b f n r t or u and four hex digits is expected');
        at++;
      }
    }
    at++;
    return JSON.parse(text.slice(begin, at)) as string;
  };

  const readNumber = (): JsonValue => {
    NUMBER.lastIndex = at;
    const [digits] = NUMBER.exec(text) ?? fail('a number is expected after -');
    at += digits.length;
    if (/[\w.+-]/.test(text[at] ?? '')) fail(`this is no number of JSON: ${JSON.stringify(/^[\w.+-]*/.exec(text.slice(at - digits.length))?.[0] ?? '')}`, at - digits.length);
    const number = Number(digits);
    return /^-?\d+$/.test(digits) && !Number.isSafeInteger(number) ? digits : number;
  };

  const readParts = (close: '}' | ']', depth: number): Map<string | number, JsonText> => {
    const parts = new Map<string | number, JsonText>();
    at++;
    skip();
    if (text[at] === close) {
      at++;
      return parts;
    }
    for (let index = 0; ; index++) {
      let key: string | number = index;
      if (close === '}') {
        if (text[at] !== '"') fail(`a property name in double quotes is expected, and ${found()}`);
        key = readString();
        skip();
        if (text[at] !== ':') fail(`":" is expected after the property name ${JSON.stringify(key)}, and ${found()}`);
        at++;
      }
      parts.set(key, readValue(depth + 1));
      skip();
      const end = text[at];
      if (end !== close && end !== ',') fail(`"," or "${close}" is expected, and ${found()}`);
      at++;
      if (end === close) return parts;
      skip();
      if (text[at] === close) fail(`no "," may stand before "${close}"`);
    }
  };

  const readValue = (depth: number): JsonText => {
    skip();
    if (depth > MAX_DEPTH) fail(`more than ${MAX_DEPTH} values stand inside of each other`);
    const position = positionOf(at);
    const done = (value: JsonValue, parts: JsonText['parts'] = new Map()): JsonText => ({ value, position, parts });
    const character = text[at] ?? '';
    if (character === '{') {
      const parts = readParts('}', depth);
      return done(Object.fromEntries([...parts].map(([key, { value }]) => [key, value])), parts);
    }
    if (character === '[') {
      const parts = readParts(']', depth);
      return done([...parts.values()].map(({ value }) => value), parts);
    }
    if (character === '"') return done(readString());
    if (character === '-' || (character >= '0' && character <= '9')) return done(readNumber());
    WORD.lastIndex = at;
    const word = WORD.exec(text)?.[0];
    const literal = word === undefined ? undefined : LITERALS[word];
    if (word !== undefined && literal !== undefined) {
      at += word.length;
      return done(literal);
    }
    if (character === "'") fail('a string takes double quotes, not single ones');
    return fail(word === undefined ? `a value is expected, and ${found()}` : `a value is expected, and there is ${JSON.stringify(word)}: a string takes double quotes`);
  };

  if (text.startsWith('\uFEFF')) at = 1;
  const value = readValue(0);
  skip();
  if (at < text.length) fail(`nothing more is expected after the value, and ${found()}`);
  return value;
}
