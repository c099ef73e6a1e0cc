import { type Json, type JsonObject } from '../types.ts';
import { every, inWords, keyword, noneOf, oneOf, type Constraint } from './constraint.ts';

/** Whole numbers of 64 bits compare exactly, fractions as they are. */
function order(value: Json): number | bigint {
  const text = String(value);
  return /^-?\d+$/.test(text) ? BigInt(text) : Number(text);
}

interface Bound {
  readonly keyword: string;
  readonly words: string;
  readonly fits: (value: Json, limit: Json) => boolean;
}
const BOUNDS: Readonly<Record<string, Bound>> = {
  lt: { keyword: 'exclusiveMaximum', words: 'less than', fits: (value, limit) => order(value) < order(limit) },
  lte: { keyword: 'maximum', words: 'at most', fits: (value, limit) => order(value) <= order(limit) },
  gt: { keyword: 'exclusiveMinimum', words: 'more than', fits: (value, limit) => order(value) > order(limit) },
  gte: { keyword: 'minimum', words: 'at least', fits: (value, limit) => order(value) >= order(limit) },
};

/**
 * What the numeric rules of buf.validate ask. `asText`: the numbers are JSON strings, for which JSON Schema has no bounds.
 * An upper bound below the lower one means outside of both: https://protovalidate.com/reference/rules/int32_rules/#gt
 */
export function numberConstraint(rules: JsonObject, asText: boolean): Constraint {
  const plain = (value: Json): Json => (asText ? String(value) : Number(value));
  const values = (given: Json | undefined): readonly Json[] => (Array.isArray(given) ? (given as readonly Json[]).map(plain) : []);
  const bounds = Object.entries(BOUNDS).flatMap(([name, bound]) => {
    const limit = rules[name];
    if (limit === undefined) return [];
    const fits = (value: Json): boolean => bound.fits(value, limit);
    const one = asText ? inWords(`Must be ${bound.words} ${String(limit)}.`, fits) : keyword({ [bound.keyword]: Number(limit) }, fits);
    return [{ limit, upper: name.startsWith('l'), one, says: `${bound.words} ${String(limit)}` }];
  });
  const [upper, lower] = [bounds.find((bound) => bound.upper), bounds.find((bound) => !bound.upper)];
  const outside = upper && lower && order(upper.limit) < order(lower.limit);
  const either = (): Constraint => {
    const fits = (value: Json): boolean => bounds.some(({ one }) => one.fits(value));
    return asText ? inWords(`Must be ${bounds.map(({ says }) => says).join(' or ')}.`, fits) : keyword({ anyOf: bounds.map(({ one }) => one.schema) }, fits);
  };
  const found: Constraint[] = outside ? [either()] : bounds.map(({ one }) => one);
  if (rules['finite'] === true) found.push(keyword({ type: 'number' }, (value) => Number.isFinite(Number(value))));
  if (rules['const'] !== undefined) found.push(oneOf([plain(rules['const'])]));
  if (rules['in'] !== undefined) found.push(oneOf(values(rules['in'])));
  if (rules['not_in'] !== undefined) found.push(noneOf(values(rules['not_in'])));
  return every(found);
}
