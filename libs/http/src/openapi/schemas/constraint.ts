import { type Json, type Schema } from '../types.ts';

/** What rules ask of a value: as keywords, in words where there is no keyword, and as a test. */
export interface Constraint {
  readonly schema: Schema;
  readonly words: readonly string[];
  /** Whether a value, in its JSON form, passes. */
  fits(value: Json): boolean;
}

/** Anything passes. */
export const FREE: Constraint = { schema: {}, words: [], fits: () => true };

/** Keywords, and the test that they stand for. */
export const keyword = (schema: Schema, fits: (value: Json) => boolean): Constraint => ({ schema, words: [], fits });

/** A sentence, and the test that it stands for. */
export const inWords = (sentence: string, fits: (value: Json) => boolean = () => true): Constraint => ({ schema: {}, words: [sentence], fits });

/** One of these values. */
export const oneOf = (values: readonly Json[]): Constraint => keyword(values.length === 1 ? { const: values[0] as Json } : { enum: values }, (value) => values.includes(value));

/** None of these values. */
export const noneOf = (values: readonly Json[]): Constraint => keyword({ not: { enum: values } }, (value) => !values.includes(value));

/** All of them; two that use the same keyword stand in `allOf`. */
export function every(constraints: readonly Constraint[]): Constraint {
  let schema: Schema = {};
  const more: Schema[] = [];
  for (const one of constraints) {
    if (Object.keys(one.schema).some((name) => Object.hasOwn(schema, name))) more.push(one.schema);
    else schema = { ...schema, ...one.schema };
  }
  return {
    schema: more.length > 0 ? { ...schema, allOf: more } : schema,
    words: constraints.flatMap(({ words }) => words),
    fits: (value) => constraints.every((one) => one.fits(value)),
  };
}
