import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { duration } from '../duration.ts';
import { complaintAbout } from './check-value.ts';
import type { JsonValue } from './json.ts';

const complaint = (schema: z.ZodType, value: JsonValue, secret?: true): string | undefined =>
  complaintAbout('a.b', { description: 'for a test', live: true, env: 'A_B', schema: z.toJSONSchema(schema, { io: 'input' }) as Readonly<Record<string, unknown>>, ...(secret ? { secret } : {}) }, value);

describe('complaintAbout', () => {
  it('names what is expected, and where', () => {
    const action = z.union([z.strictObject({ version: z.string() }), z.strictObject({ throttle: z.strictObject({ rate: z.number(), burst: z.number() }) })]);
    const cases: readonly (readonly [schema: z.ZodType, value: JsonValue, says: string])[] = [
      [z.boolean(), 1, 'a.b takes true or false, not 1'],
      [z.string().min(3), 'ab', 'a.b takes a text of at least 3 characters, not "ab"'],
      [z.url(), 'x', 'a.b takes a URL, not "x"'],
      [z.number().gt(0).multipleOf(5), 7, 'a.b takes a number above 0 and that is a multiple of 5, not 7'],
      [z.number().nullable(), 'x', 'a.b takes a number or null, not "x"'],
      [duration({ min: 100, max: 60_000 }), '2m', 'a.b takes a time from 100ms to 1m, such as 500ms, 10s or 1h30m, not "2m"'],
      [duration(), true, 'a.b takes a time, such as 500ms, 10s or 1h30m, not true'],
      [z.array(z.number()).max(2), [1, 2, 3], 'a.b takes a list of numbers (at most 2), not [1,2,3]'],
      [z.array(z.number()), [1, 'x'], 'a.b[1] takes a number, not "x"'],
      [z.strictObject({ rate: z.number() }), {}, 'a.b lacks the property "rate"'],
      [z.strictObject({ rate: z.number() }), { rate: 1, rats: 1 }, 'a.b has no property "rats": did you mean "rate"?'],
      [z.record(z.string().regex(/^x/), z.number()), { y: 1 }, 'a.b takes no property called "y": a name is a text that matches /^x/'],
      [z.record(z.string(), duration()), { y: 'soon' }, 'a.b.y takes a time, such as 500ms, 10s or 1h30m, not "soon"'],
      [z.array(z.object({ action })), [{ action: { version: 3 } }], 'a.b[0].action.version takes a text, not 3'],
      [z.array(z.object({ action })), [{ action: { throttle: { rate: 1 } } }], 'a.b[0].action.throttle lacks the property "burst"'],
      [z.array(z.object({ action })), [{ action: {} }], 'a.b[0].action takes an object with "version" or an object with "throttle", not {}'],
      [z.discriminatedUnion('kind', [z.object({ kind: z.literal('a') }), z.object({ kind: z.literal('b'), size: z.number() })]), { kind: 'b', size: 'x' }, 'a.b.size takes a number, not "x"'],
    ];
    for (const [schema, value, says] of cases) assert.equal(complaint(schema, value), `${says} (for a test).`);
  });

  it('takes what fits, and shows nothing of a secret', () => {
    assert.equal(complaint(duration(), '5m'), undefined);
    assert.equal(complaint(z.number(), 1), undefined);
    assert.equal(complaint(z.strictObject({ key: z.string().min(8) }), { key: 'hunter', hunter: 1 }, true), 'a.b takes an object with "key" (for a test); what was given is secret, and not shown.');
  });

  it('says so of a schema that cannot be used', () => {
    assert.match(complaintAbout('a.b', { description: '', live: true, env: '', schema: { type: 'no such' } }, 1) ?? '', /^The published schema of a\.b cannot be used/);
  });
});
