import { ScalarType, type DescEnum, type DescField } from '@bufbuild/protobuf';
import { type Json, type JsonObject } from '../types.ts';
import { every, FREE, inWords, keyword, noneOf, oneOf, type Constraint } from './constraint.ts';
import { numberConstraint } from './number-rules.ts';
import { isTextNumber } from './scalar-schema.ts';
import { stringConstraint } from './string-rules.ts';

function enumConstraint(desc: DescEnum, rules: JsonObject): Constraint {
  const names = (given: Json | undefined): readonly Json[] =>
    (Array.isArray(given) ? (given as readonly Json[]) : []).flatMap((number) => desc.values.filter((value) => value.number === number).map(({ name }) => name));
  return every([
    ...(rules['const'] === undefined ? [] : [oneOf(names([rules['const']]))]),
    ...(rules['in'] === undefined ? [] : [oneOf(names(rules['in']))]),
    ...(rules['not_in'] === undefined ? [] : [noneOf(names(rules['not_in']))]),
  ]);
}

const bytesOf = (value: Json): number => (typeof value === 'string' ? Buffer.from(value, 'base64').length : 0);
const BYTES: Readonly<Record<string, readonly [words: string, fits: (length: number, limit: number) => boolean]>> = {
  len: ['exactly', (length, limit) => length === limit],
  min_len: ['at least', (length, limit) => length >= limit],
  max_len: ['at most', (length, limit) => length <= limit],
};

function bytesConstraint(rules: JsonObject): Constraint {
  return every([
    ...(rules['const'] === undefined ? [] : [oneOf([rules['const']])]),
    ...(Array.isArray(rules['in']) ? [oneOf(rules['in'] as readonly Json[])] : []),
    ...Object.entries(BYTES).flatMap(([name, [words, fits]]) => {
      const limit = rules[name];
      return limit === undefined ? [] : [inWords(`Must have ${words} ${String(limit)} bytes.`, (value) => fits(bytesOf(value), Number(limit)))];
    }),
  ]);
}

/** Rules of well-known types, which have no keywords: `lt_now`, `within`, `in`… */
function specialConstraint(rules: JsonObject): Constraint {
  const said = Object.entries(rules).map(([name, given]) => (given === true ? `\`${name}\`` : `\`${name}\` ${typeof given === 'string' ? given : JSON.stringify(given)}`));
  return said.length === 0 ? FREE : inWords(`Must be ${said.join(' and ')}.`);
}

/** What the rules for its type ask of one value of a field: of the field itself, a list's item or a map's value. */
export function valueConstraint(field: DescField, rules: JsonObject): Constraint {
  if (Object.keys(rules).length === 0) return FREE;
  // The rules of a wrapper are those of what it wraps.
  const wrapped = field.message?.typeName.startsWith('google.protobuf.') && field.message.typeName.endsWith('Value') ? field.message.fields[0] : undefined;
  if (field.enum) return enumConstraint(field.enum, rules);
  const scalar = field.scalar ?? wrapped?.scalar;
  if (scalar === undefined) return specialConstraint(rules);
  if (scalar === ScalarType.STRING) return stringConstraint(rules);
  if (scalar === ScalarType.BYTES) return bytesConstraint(rules);
  if (scalar === ScalarType.BOOL) return rules['const'] === undefined ? FREE : oneOf([rules['const']]);
  return numberConstraint(rules, isTextNumber(scalar, wrapped ?? field));
}

const size = (value: Json): number => (typeof value === 'object' && value !== null ? Object.keys(value).length : 0);
const sized = (name: string, given: Json | undefined, fits: (size: number, limit: number) => boolean): readonly Constraint[] =>
  given === undefined ? [] : [keyword({ [name]: Number(given) }, (value) => fits(size(value), Number(given)))];

/** What the rules ask of a list as a whole. */
export function listConstraint(rules: JsonObject): Constraint {
  return every([
    ...sized('minItems', rules['min_items'], (length, limit) => length >= limit),
    ...sized('maxItems', rules['max_items'], (length, limit) => length <= limit),
    ...(rules['unique'] === true ? [keyword({ uniqueItems: true }, () => true)] : []),
  ]);
}

/** What the rules ask of a map as a whole. */
export function mapConstraint(rules: JsonObject): Constraint {
  return every([...sized('minProperties', rules['min_pairs'], (length, limit) => length >= limit), ...sized('maxProperties', rules['max_pairs'], (length, limit) => length <= limit)]);
}
