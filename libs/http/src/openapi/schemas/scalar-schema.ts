import { ScalarType, type DescField, type DescMessage } from '@bufbuild/protobuf';
import { isJsNumber } from '../../transcode/scalars.ts';
import { type Schema } from '../types.ts';

const integer = (format: string, minimum: number, maximum: number): Schema => ({ type: 'integer', format, minimum, maximum });
const int32 = integer('int32', -(2 ** 31), 2 ** 31 - 1);
const uint32 = integer('uint32', 0, 2 ** 32 - 1);
const SAFE = Number.MAX_SAFE_INTEGER;

const wide = (jsNumber: boolean, signed: boolean): Schema => {
  const format = signed ? 'int64' : 'uint64';
  if (jsNumber) return integer(format, signed ? -SAFE : 0, SAFE);
  return { type: 'string', format, pattern: signed ? '^-?[0-9]+$' : '^[0-9]+$' };
};
const floating = (format: string): Schema => ({ anyOf: [{ type: 'number', format }, { type: 'string', enum: ['NaN', 'Infinity', '-Infinity'] }] });

/** Integers of 64 bits. */
export const WIDE: ReadonlySet<ScalarType> = new Set([ScalarType.INT64, ScalarType.SINT64, ScalarType.SFIXED64, ScalarType.UINT64, ScalarType.FIXED64]);

/** Whether JSON shows a scalar of this field as a string of digits. */
export function isTextNumber(scalar: ScalarType, field: DescField): boolean {
  return WIDE.has(scalar) && !isJsNumber(field);
}

/** The JSON of a scalar after the proto3 mapping; `field` says whether a 64-bit one is a number. */
export function scalarSchema(scalar: ScalarType, field: DescField): Schema {
  switch (scalar) {
    case ScalarType.STRING:
      return { type: 'string' };
    case ScalarType.BYTES:
      return { type: 'string', contentEncoding: 'base64', pattern: '^[A-Za-z0-9+/]*={0,2}$' };
    case ScalarType.BOOL:
      return { type: 'boolean' };
    case ScalarType.DOUBLE:
      return floating('double');
    case ScalarType.FLOAT:
      return floating('float');
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return uint32;
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return int32;
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return wide(isJsNumber(field), false);
    default:
      return wide(isJsNumber(field), true);
  }
}

const SPECIAL: Readonly<Record<string, Schema>> = {
  'google.protobuf.Timestamp': { type: 'string', format: 'date-time' },
  'google.protobuf.Duration': { type: 'string', pattern: '^-?[0-9]{1,12}(\\.[0-9]{1,9})?s$', examples: ['1.5s'] },
  'google.protobuf.FieldMask': { type: 'string', pattern: '^(\\*|[A-Za-z0-9_.]+(,[A-Za-z0-9_.]+)*)?$' },
  'google.protobuf.Struct': { type: 'object' },
  'google.protobuf.Value': {},
  'google.protobuf.ListValue': { type: 'array', items: {} },
  'google.protobuf.Any': { type: 'object', properties: { '@type': { type: 'string' } } },
};

/** The JSON of a message whose form is its own; a wrapper is what it wraps. */
export function specialSchema(desc: DescMessage): Schema {
  const special = SPECIAL[desc.typeName];
  if (special) return special;
  const wrapped = desc.fields[0];
  return wrapped?.scalar === undefined ? {} : scalarSchema(wrapped.scalar, wrapped);
}
