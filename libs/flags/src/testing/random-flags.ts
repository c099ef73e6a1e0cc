import type { EvaluationContext } from '@openfeature/core';
import { seeded } from './random.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A generator of flag documents and contexts as somebody might write them, right and wrong. */
export interface RandomFlags {
  document(): { readonly $schema: string; readonly flags: Record<string, Json>; readonly $evaluators: Record<string, Json>; readonly metadata: Record<string, Json> };
  context(): EvaluationContext;
}

const VARIANTS: Readonly<Record<string, readonly Json[]>> = {
  boolean: [true, false, true],
  string: ['red', '', 'grün'],
  number: [0, 1.5, -7],
  object: [{ a: 1 }, [], { nested: { list: [1, null, 'x'] } }],
};
const EMAILS = ['ada@example.com', 'bob@faas.com', '', 'ÄÖÜ@example.org'];
const VERSIONS: readonly Json[] = ['1.0.0', 'v2.1.3', '1.2', '2', 'not one', '3.0.0-beta.1', '1.2.3.4', 2, ''];

/** Makes it. */
export function randomFlags(seed: number): RandomFlags {
  const random = seeded(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const one = <T>(of: readonly T[]): T => of[below(of.length)] as T;
  const sometimes = (share: number): boolean => random() < share;
  const names = ['a', 'b', 'c'];

  const value = (depth: number): Json => {
    const kind = below(depth > 2 ? 7 : 12);
    if (kind < 5) return { var: one(['email', 'version', 'age', 'targetingKey', '$flagd.flagKey', 'nested.deep', 'missing', 'list.1', 'tags', '$flagd.timestamp']) };
    if (kind === 5) return one<Json>([...EMAILS, ...VERSIONS, 3, 0, true, null, 'a', 'b']);
    if (kind === 6) return { var: ['missing', one<Json>(['fallback', 7, null])] };
    if (kind === 7) return { cat: [value(depth + 1), '-', value(depth + 1)] };
    if (kind === 8) return { [one(['+', '*', '-', '/', '%', 'min', 'max'])]: [value(depth + 1), value(depth + 1)] };
    if (kind === 9) return { substr: [value(depth + 1), below(4)] };
    if (kind === 10) return { if: [condition(depth + 1), value(depth + 1), value(depth + 1)] };
    return [value(depth + 1), value(depth + 1)];
  };

  const condition = (depth: number): Json => {
    const kind = below(depth > 3 ? 7 : 12);
    if (kind === 0) return { [one(['==', '===', '!=', '!==', '>', '>=', '<', '<='])]: [value(depth), value(depth)] };
    if (kind === 1) return { in: [value(depth), sometimes(0.5) ? [...EMAILS] : value(depth)] };
    if (kind === 2) return { [one(['starts_with', 'ends_with'])]: sometimes(0.1) ? [value(depth)] : [value(depth), one<Json>(['a', '.com', '', 3])] };
    if (kind === 3) return { sem_ver: [value(depth), one(['=', '!=', '<', '<=', '>', '>=', '^', '~', '??']), one(VERSIONS)] };
    if (kind === 4) return sometimes(0.5) ? { missing: ['email', 'age'] } : { missing_some: [1, ['email', 'age']] };
    if (kind === 5) return { $ref: one(['isAda', 'isNew', 'nobody']) };
    if (kind === 6) return sometimes(0.9) ? { '!!': [value(depth)] } : { [one(['no_such_operator', '__proto__', 'constructor'])]: [value(depth)] };
    if (kind < 9) return { [one(['and', 'or'])]: [condition(depth + 1), condition(depth + 1)] };
    if (kind === 9) return { '!': [condition(depth + 1)] };
    return { [one(['some', 'all', 'none'])]: [{ var: 'tags' }, { '==': [{ var: '' }, one(['x', 'y'])] }] };
  };

  const variant = (): Json => one<Json>([...names, ...names, ...names, 'no such variant', null, true, 7]);
  const fractional = (): Json => {
    const buckets = names.map((name): Json => (sometimes(0.2) ? [name] : sometimes(0.1) ? [name, { '+': [1, { var: 'age' }] }] : [sometimes(0.9) ? name : variant(), one([0, 1, 10, 50, 2.5, -3])]));
    return { fractional: sometimes(0.5) ? buckets : [{ cat: [{ var: '$flagd.flagKey' }, { var: 'email' }] }, ...buckets] };
  };
  const targeting = (): Json => {
    const kind = below(6);
    if (kind === 0) return {};
    if (kind === 1) return fractional();
    if (kind === 2) return { if: [condition(0), fractional(), variant()] };
    if (kind === 3) return { if: [condition(0), variant(), condition(0), variant(), variant()] };
    if (kind === 4) return { if: [condition(0), variant()] };
    return condition(0);
  };

  return {
    document: () => ({
      $schema: 'https://flagd.dev/schema/v0/flags.json',
      flags: Object.fromEntries(
        Array.from({ length: 1 + below(6) }, (_, index) => {
          const values = VARIANTS[one(['boolean', 'string', 'number', 'object'])] as readonly Json[];
          const defaultVariant: Record<string, Json> = sometimes(0.85) ? { defaultVariant: one(names) } : sometimes(0.5) ? { defaultVariant: null } : {};
          const flag = { state: sometimes(0.9) ? 'ENABLED' : 'DISABLED', variants: Object.fromEntries(names.map((name, at) => [name, values[at] as Json])), ...defaultVariant };
          return [`flag-${index}`, { ...flag, ...(sometimes(0.85) ? { targeting: targeting() } : {}), ...(sometimes(0.2) ? { metadata: { owner: one(['x', 'y']), index } } : {}) }];
        }),
      ),
      $evaluators: { isAda: { starts_with: [{ var: 'email' }, 'ada'] }, isNew: { and: [{ $ref: 'isAda' }, { '>': [{ var: 'age' }, 3] }] } },
      metadata: sometimes(0.5) ? { version: 'v1' } : {},
    }),
    context() {
      const context: Record<string, Json> = {};
      if (sometimes(0.8)) context['targetingKey'] = `user_${below(1000)}${one(['', 'é', '😀'])}`;
      if (sometimes(0.7)) context['email'] = one(EMAILS);
      if (sometimes(0.7)) context['version'] = one(VERSIONS);
      if (sometimes(0.7)) context['age'] = one<Json>([1, 5, '7', null, -1]);
      if (sometimes(0.4)) context['tags'] = one<Json>([['x', 'y'], [], 'x', null]);
      if (sometimes(0.3)) context['nested'] = one<Json>([{ deep: 'x' }, {}, 3]);
      if (sometimes(0.1)) context['$flagd'] = { flagKey: 'forged' };
      return context as EvaluationContext;
    },
  };
}
