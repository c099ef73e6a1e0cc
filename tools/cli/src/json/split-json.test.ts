import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { splitJson } from './split-json.ts';

async function split(chunks: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const given = async function* () {
    for (const chunk of chunks) yield await Promise.resolve(chunk);
  };
  for await (const { text, position } of splitJson(given())) found.push(`${position.line}:${position.column} ${text}`);
  return found;
}

describe('splitJson', () => {
  it('finds the same values however the text is cut', async () => {
    const text = ' {"a":"}\\"{"}\n{"b":[{}]}{"c":1} [1,\n2]"x{"1 2\ttrue\r\n"\\\\"{}null';
    const expected = ['1:2 {"a":"}\\"{"}', '2:1 {"b":[{}]}', '2:11 {"c":1}', '2:19 [1,\n2]', '3:3 "x{"', '3:7 1', '3:9 2', '3:11 true', '4:1 "\\\\"', '4:5 {}', '4:7 null'];
    assert.deepEqual(await split([text]), expected);
    assert.deepEqual(await split([...text]), expected);
    for (let size = 2; size < 12; size++) assert.deepEqual(await split(text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []), expected, `in pieces of ${size}`);
  });

  it('yields each value before it asks for more', async () => {
    let asked = 0;
    const given = async function* () {
      for (const chunk of ['{"a":1', '}{"b"', ':2} ']) {
        asked++;
        yield await Promise.resolve(chunk);
      }
    };
    const values = splitJson(given());
    assert.equal((await values.next()).value?.text, '{"a":1}');
    assert.equal(asked, 2);
    assert.equal((await values.next()).value?.text, '{"b":2}');
    assert.equal(asked, 3);
    assert.equal((await values.next()).done, true);
  });

  it('passes on what is no JSON as soon as that is sure', async () => {
    assert.deepEqual(await split(['}{}']), ['1:1 }', '1:2 {}']);
    assert.deepEqual(await split(['{"a": "x\n', '{}']), ['1:1 {"a": "x\n', '2:1 {}']);
    assert.deepEqual(await split(['{"a"']), ['1:1 {"a"']);
    assert.deepEqual(await split(['', ' \n', '']), []);
  });
});
