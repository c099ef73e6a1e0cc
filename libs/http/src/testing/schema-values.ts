import { regexSample } from '../openapi/examples/regex-sample.ts';
import { type Json, type JsonObject, type Schema } from '../openapi/types.ts';

/** Numbers in [0, 1): the same ones for the same seed, so that a failure comes again. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    // A linear congruential generator: good enough to vary requests.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const WORDS = ['x', 'Peter Pan', 'a&b=c/d?e#f', 'ünïcode 🐙', '100%', '"quoted"', '+1 2', ''];

/** Makes values that schemas of a document allow, without looking at what made the schemas. */
export function schemaValues(schemas: Readonly<Record<string, Schema>>, random: () => number): (schema: Schema) => Json {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;

  const text = (schema: Schema): string => {
    const [least, greatest] = [Number(schema['minLength'] ?? 0), Number(schema['maxLength'] ?? 100)];
    const fits = (word: string): boolean => [...word].length >= least && [...word].length <= greatest;
    if (typeof schema['pattern'] === 'string') return regexSample(schema['pattern'], fits) ?? '';
    if (schema['format'] === 'date-time') return pick(['2026-01-31T12:00:00Z', '1999-12-31T23:59:59.123456789Z', '2026-01-31T12:00:00+02:00']);
    return pick(WORDS.filter(fits));
  };

  const number = (schema: Schema, whole: boolean): number => {
    const least = schema['exclusiveMinimum'] === undefined ? Number(schema['minimum'] ?? -1e6) : Number(schema['exclusiveMinimum']) + 1;
    const greatest = schema['exclusiveMaximum'] === undefined ? Number(schema['maximum'] ?? 1e6) : Number(schema['exclusiveMaximum']) - 1;
    return pick([least, greatest, whole ? Math.floor(least / 2 + greatest / 2) : Math.fround(least + random() * (greatest - least))]);
  };

  const object = (schema: Schema, depth: number): JsonObject => {
    const properties = (schema['properties'] ?? {}) as Readonly<Record<string, Schema>>;
    const required = (schema['required'] ?? []) as readonly string[];
    // Of the alternatives of a oneof one is chosen, and the names of the others are left out.
    const alternatives = ((schema['oneOf'] ?? []) as readonly Schema[]).map((one) => (one['required'] ?? []) as readonly string[]);
    const chosen = alternatives.length > 0 ? pick(alternatives) : [];
    const excluded = new Set(alternatives.flat().filter((name) => !chosen.includes(name)));
    const names = Object.keys(properties).filter((name) => !excluded.has(name) && (required.includes(name) || chosen.includes(name) || (depth < 3 && random() < 0.6)));
    const more = schema['additionalProperties'];
    const extra = typeof more === 'object' && more !== null ? ['key', 'a "b"'].filter(() => random() < 0.5).map((name) => [name, make(more as Schema, depth + 1)] as const) : [];
    return Object.fromEntries([...names.map((name) => [name, make(properties[name] as Schema, depth + 1)] as const), ...extra]);
  };

  const make = (schema: Schema, depth: number): Json => {
    const { $ref: ref, ...beside } = schema;
    if (typeof ref === 'string') return make({ ...(schemas[ref.replace('#/components/schemas/', '')] as Schema), ...beside }, depth);
    if (schema['const'] !== undefined) return schema['const'];
    if (Array.isArray(schema['enum'])) {
      const refused = ((schema['not'] as Schema | undefined)?.['enum'] ?? []) as readonly Json[];
      return pick((schema['enum'] as readonly Json[]).filter((value) => !refused.includes(value)));
    }
    if (Array.isArray(schema['anyOf'])) return make(pick(schema['anyOf'] as readonly Schema[]), depth);
    switch (schema['type']) {
      case 'string':
        return text(schema);
      case 'integer':
      case 'number':
        return number(schema, schema['type'] === 'integer');
      case 'boolean':
        return random() < 0.5;
      case 'null':
        return null;
      case 'array': {
        const length = Math.max(Number(schema['minItems'] ?? 0), Math.floor(random() * Math.min(4, Number(schema['maxItems'] ?? 3) + 1)));
        return Array.from({ length: depth < 4 ? length : Number(schema['minItems'] ?? 0) }, () => make(schema['items'] as Schema, depth + 1));
      }
      case 'object':
        return object(schema, depth);
      default:
        return pick<Json>(['free', 1, true, { a: [1, 'b'] }]);
    }
  };
  return (schema) => make(schema, 0);
}
