import { ScalarType, type DescEnum, type DescField } from '@bufbuild/protobuf';
import { base64Decode } from '@bufbuild/protobuf/wire';
import { FieldOptions_JSType } from '@bufbuild/protobuf/wkt';
import { exactText } from './json-text.ts';

/** Why a value does not fit its field. */
export interface Misfit {
  readonly misfit: string;
}

/** A value for the reflection API, or why there is none. */
export type Fit = { readonly value: unknown } | Misfit;

const misfit = (why: string): Misfit => ({ misfit: why });

/** JSON's numbers without the leading zeros that it forbids. */
const NUMBER = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
/** Longer numbers fit no type and would only cost time. */
const MAX_NUMBER_CHARACTERS = 400;

/** The integer that a decimal text stands for, also behind a point or an exponent; never rounded. */
export function exactInteger(text: string): bigint | 'no number' | 'a fraction' | 'too large' {
  if (text.length > MAX_NUMBER_CHARACTERS) return 'too large';
  const parts = NUMBER.exec(text);
  if (!parts) return 'no number';
  const [, sign, whole = '', fraction = '', exponent = '0'] = parts;
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  if (digits === '') return 0n;
  const significant = digits.replace(/0+$/, '');
  const scale = Number(exponent) - fraction.length + (digits.length - significant.length);
  if (scale < 0) return 'a fraction';
  if (significant.length + scale > 20) return 'too large';
  return BigInt(`${sign ?? ''}${significant}${'0'.repeat(scale)}`);
}

interface IntegerRange {
  readonly name: string;
  readonly least: bigint;
  readonly greatest: bigint;
  readonly wide: boolean;
}

const int32: IntegerRange = { name: 'an int32', least: -(2n ** 31n), greatest: 2n ** 31n - 1n, wide: false };
const uint32: IntegerRange = { name: 'a uint32', least: 0n, greatest: 2n ** 32n - 1n, wide: false };
const int64: IntegerRange = { name: 'an int64', least: -(2n ** 63n), greatest: 2n ** 63n - 1n, wide: true };
const uint64: IntegerRange = { name: 'a uint64', least: 0n, greatest: 2n ** 64n - 1n, wide: true };
const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

const RANGES: Partial<Record<ScalarType, IntegerRange>> = {
  [ScalarType.INT32]: int32,
  [ScalarType.SINT32]: int32,
  [ScalarType.SFIXED32]: int32,
  [ScalarType.UINT32]: uint32,
  [ScalarType.FIXED32]: uint32,
  [ScalarType.INT64]: int64,
  [ScalarType.SINT64]: int64,
  [ScalarType.SFIXED64]: int64,
  [ScalarType.UINT64]: uint64,
  [ScalarType.FIXED64]: uint64,
};

/** Whether a field's int64 is a JSON number on the wire (`jstype = JS_NUMBER`). */
export function isJsNumber(field: DescField): boolean {
  return field.proto.options?.jstype === FieldOptions_JSType.JS_NUMBER;
}

function integer(text: string, range: IntegerRange, jsNumber: boolean): Fit {
  const value = exactInteger(text);
  if (value === 'no number') return misfit(`must be ${range.name}`);
  if (value === 'a fraction') return misfit(`must be ${range.name}, and this has a fraction`);
  if (value === 'too large' || value < range.least || value > range.greatest) return misfit(`does not fit ${range.name}`);
  if (range.wide && jsNumber && (value > SAFE || value < -SAFE)) {
    return misfit('lies beyond ±(2^53−1), where JSON readers round');
  }
  return { value: range.wide ? value : Number(value) };
}

const FLOAT_MAX = 3.4028234663852886e38;
const SPECIAL = new Set(['NaN', 'Infinity', '-Infinity']);

function floating(text: string, single: boolean): Fit {
  if (SPECIAL.has(text)) return { value: Number(text) };
  if (text.length > MAX_NUMBER_CHARACTERS || !NUMBER.test(text)) return misfit('must be a number');
  const value = Number(text);
  if (Math.abs(value) > (single ? FLOAT_MAX : Number.MAX_VALUE)) return misfit(`does not fit a ${single ? 'float' : 'double'}`);
  return { value };
}

/** Why a text cannot be a proto string, if so. U+0000 is valid there, but PostgreSQL's text cannot hold it. */
export function textMisfit(text: string): string | undefined {
  if (!text.isWellFormed()) return 'holds half a surrogate pair';
  return text.includes('\0') ? 'holds the character U+0000' : undefined;
}

function base64(text: string): Fit {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) return misfit('must be base64');
  try {
    return { value: base64Decode(text) };
  } catch {
    return misfit('must be base64');
  }
}

/** A scalar from the text of a path, a query or a form. */
export function scalarFromText(type: ScalarType, text: string, jsNumber: boolean): Fit {
  const range = RANGES[type];
  if (range) return integer(text, range, jsNumber);
  switch (type) {
    case ScalarType.BOOL:
      return text === 'true' || text === 'false' ? { value: text === 'true' } : misfit('must be true or false');
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return floating(text, type === ScalarType.FLOAT);
    case ScalarType.BYTES:
      return base64(text);
    default: {
      const why = textMisfit(text);
      return why === undefined ? { value: text } : misfit(why);
    }
  }
}

/** A scalar from JSON, after the proto3 mapping. */
export function scalarFromJson(type: ScalarType, json: unknown, jsNumber: boolean): Fit {
  const number = typeof json === 'number' ? String(json) : exactText(json);
  if (RANGES[type] || type === ScalarType.DOUBLE || type === ScalarType.FLOAT) {
    const text = number ?? (typeof json === 'string' ? json : undefined);
    return text === undefined ? misfit(RANGES[type] ? `must be ${RANGES[type].name}` : 'must be a number') : scalarFromText(type, text, jsNumber);
  }
  if (type === ScalarType.BOOL) return typeof json === 'boolean' ? { value: json } : misfit('must be true or false');
  return typeof json === 'string' ? scalarFromText(type, json, jsNumber) : misfit('must be a string');
}

/** An enum value by its name or its number; `source` says whether a number may come as text. */
export function enumFrom(desc: DescEnum, json: unknown, source: 'json' | 'text'): Fit {
  if (typeof json === 'string') {
    const named = desc.values.find((value) => value.name === json);
    if (named) return { value: named.number };
  }
  const text = typeof json === 'number' ? String(json) : (exactText(json) ?? (source === 'text' ? json : undefined));
  const number = typeof text === 'string' ? integer(text, int32, false) : misfit('');
  if ('misfit' in number) return misfit(`must be one of ${desc.values.map((value) => value.name).slice(0, 20).join(', ')}`);
  if (!desc.open && !desc.values.some((value) => value.number === number.value)) return misfit('is no value of this enum');
  return number;
}
