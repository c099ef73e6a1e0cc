import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { JsonSyntaxError, parseJson } from './json-text.ts';

describe('parseJson', () => {
  it('reads what JSON.parse reads, as it does', () => {
    const texts = ['{}', '[]', ' {"a" : [1, -0.5e+3, 0, true,false ,null, "\\u00e4\\n\\"x\\\\"], "b":{"c":""}} ', '"x"', '12', '{"a":1,"a":2}', '\t[[[]],{}]\r\n', '"\u2028 \u007f ä😀"', '1E5', '{"":0}'];
    for (const text of texts) assert.deepEqual(parseJson(text).value, JSON.parse(text), text);
    const own = parseJson('{"__proto__":{"a":1}}').value as object;
    assert.deepEqual(Object.keys(own), ['__proto__']);
    assert.equal(Object.getPrototypeOf(own), Object.prototype);
  });

  it('refuses what JSON.parse refuses', () => {
    const texts = ['', ' ', '{', '[', '{]', '[}', '{"a"}', '{"a":}', '{"a":1,}', '[1,]', '[,]', '{,}', "{'a':1}", '{a:1}', '[1 2]', '01', '-', '1.', '.5', '+1', '1e', '0x1', 'NaN', 'nul', 'truee', '"', '"\\x"', '"\\u12"', '"a\nb"', '"\t"', '{} {}', '1 2', '[1]]', '\u00a0{}', '{"a":1 "b":2}', '//x', '"\\'];
    for (const text of texts) {
      assert.throws(() => JSON.parse(text) as unknown, text);
      assert.throws(() => parseJson(text), JsonSyntaxError, text);
    }
    assert.throws(() => parseJson('['.repeat(100_000)), /more than 500/);
  });

  it('says where, and what is expected', () => {
    const cases: readonly (readonly [text: string, line: number, column: number, says: RegExp])[] = [
      ['{"a":1,\n "b" 2}', 2, 6, /":" is expected after the property name "b", and there is "2"/],
      ['{"a":1', 1, 7, /"," or "\}" is expected, and the text ends/],
      ['{\n  a: 1}', 2, 3, /a property name in double quotes is expected, and there is "a"/],
      ["{\"a\": 'x'}", 1, 7, /double quotes/],
      ['{"a": x}', 1, 7, /there is "x": a string takes double quotes/],
      ['{"a": "x}', 1, 7, /closing " is missing/],
      ['{"a": "x\ny"}', 1, 9, /line break: write \\n/],
      ['[1,\n2,\n]', 3, 1, /no "," may stand before "\]"/],
      ['{"a":007}', 1, 6, /no number of JSON: "007"/],
      ['{}\n\n}', 3, 1, /nothing more is expected/],
    ];
    for (const [text, line, column, says] of cases) {
      assert.throws(() => parseJson(text), (error: Error) => error instanceof JsonSyntaxError && says.test(error.message) && error.position.line === line && error.position.column === column, text);
    }
    assert.throws(() => parseJson('{\n}}', { line: 5, column: 3 }), (error: JsonSyntaxError) => error.position.line === 6 && error.position.column === 2);
    assert.throws(() => parseJson('}', { line: 5, column: 3 }), (error: JsonSyntaxError) => error.position.line === 5 && error.position.column === 3);
  });

  it('knows where each part stands, and keeps every digit', () => {
    const { parts } = parseJson('{"a": [1,\n  9007199254740993], "b": -9223372036854775808}');
    assert.deepEqual(parts.get('a')?.parts.get(1), { value: '9007199254740993', position: { line: 2, column: 3 }, parts: new Map() });
    assert.equal(parts.get('b')?.value, '-9223372036854775808');
  });
});
