import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Json, type JsonObject } from '../types.ts';
import { numberConstraint } from './number-rules.ts';
import { rulesFrom } from './rules.ts';
import { stringConstraint } from './string-rules.ts';

describe('rules of strings', () => {
  const cases: readonly (readonly [JsonObject, JsonObject, fits: readonly Json[], others: readonly Json[]])[] = [
    [{ min_len: '1', max_len: '2' }, { minLength: 1, maxLength: 2 }, ['a', '🐙🐙'], ['', 'abc']],
    [{ len: '3' }, { minLength: 3, maxLength: 3 }, ['abc'], ['ab']],
    [{ const: 'a' }, { const: 'a' }, ['a'], ['b']],
    [{ in: ['a', 'b'], not_in: ['b'] }, { enum: ['a', 'b'], not: { enum: ['b'] } }, ['a'], ['b', 'c']],
    [{ pattern: '^[A-Z]{3}$' }, { pattern: '^[A-Z]{3}$' }, ['GBP'], ['gbp', '']],
    [{ prefix: 'a.', suffix: '+z' }, { pattern: '^a\\.', allOf: [{ pattern: '\\+z$' }] }, ['a.+z'], ['a+z', 'ab+z']],
    [{ contains: '/' }, { pattern: '\\/' }, ['a/b'], ['ab']],
    [{ not_contains: '/' }, { not: { pattern: '\\/' } }, ['ab'], ['a/b']],
    [{ email: true }, { format: 'email' }, ['peter@example.com'], ['', 'peter']],
    [{ uuid: true }, { format: 'uuid' }, ['0190a6e5-7c3e-7b1a-9c41-5f0f3a1b2c4d'], ['0190a6e5']],
    [{ uri: true }, { format: 'uri' }, ['https://example.com/'], ['/x', '']],
    [{ hostname: true }, { format: 'hostname' }, ['example.com'], ['', '-a.b']],
    [{ ip: true }, { anyOf: [{ format: 'ipv4' }, { format: 'ipv6' }] }, ['::1', '192.0.2.1'], ['localhost']],
    [{ email: false }, {}, ['anything'], []],
    [{ max_bytes: '4' }, {}, ['🐙'], ['🐙!']],
    // Not of JSON Schema's syntax: said in words, and no example is made for it.
    [{ pattern: '(?i)^a$' }, {}, [], ['a']],
  ];
  for (const [rules, schema, fits, others] of cases) {
    it(JSON.stringify(rules), () => {
      const constraint = stringConstraint(rules);
      assert.deepEqual(constraint.schema, schema);
      for (const value of fits) assert.ok(constraint.fits(value), String(value));
      for (const value of others) assert.ok(!constraint.fits(value), String(value));
    });
  }
});

describe('rules of numbers', () => {
  const cases: readonly (readonly [JsonObject, boolean, JsonObject, words: readonly string[], fits: readonly Json[], others: readonly Json[]])[] = [
    [{ gte: 1, lt: 10 }, false, { exclusiveMaximum: 10, minimum: 1 }, [], [1, 9], [0, 10]],
    [{ gt: 10, lt: 5 }, false, { anyOf: [{ exclusiveMaximum: 5 }, { exclusiveMinimum: 10 }] }, [], [4, 11], [5, 10]],
    [{ in: [1, 2], not_in: [2] }, false, { enum: [1, 2], not: { enum: [2] } }, [], [1], [2, 3]],
    [{ finite: true }, false, { type: 'number' }, [], [1.5], ['NaN']],
    [{ gt: '9007199254740992', const: '9007199254740993' }, true, { const: '9007199254740993' }, ['Must be more than 9007199254740992.'], ['9007199254740993'], ['9007199254740992']],
    [{ lte: '5', gt: '10' }, true, {}, ['Must be at most 5 or more than 10.'], ['5', '11'], ['6', '10']],
  ];
  for (const [rules, asText, schema, words, fits, others] of cases) {
    it(JSON.stringify(rules), () => {
      const constraint = numberConstraint(rules, asText);
      assert.deepEqual([constraint.schema, constraint.words], [schema, words]);
      for (const value of fits) assert.ok(constraint.fits(value), String(value));
      for (const value of others) assert.ok(!constraint.fits(value), String(value));
    });
  }
});

describe('rules of a field', () => {
  it('are those for its type, and what is common to all', () => {
    assert.deepEqual(rulesFrom({ string: { min_len: '1' }, required: true, cel: [{ id: 'x', message: 'must rhyme', expression: 'true' }] }), {
      typed: { min_len: '1' },
      required: true,
      zeroIgnored: false,
      words: ['must rhyme.'],
    });
    assert.equal(rulesFrom({ string: { min_len: '1' }, ignore: 'IGNORE_IF_ZERO_VALUE' }).zeroIgnored, true);
    assert.deepEqual(rulesFrom({ string: { min_len: '1' }, ignore: 'IGNORE_ALWAYS' }).typed, {});
  });
});
