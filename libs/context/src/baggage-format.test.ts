import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baggageEntryMetadataFromString, propagation } from '@opentelemetry/api';
import { formatBaggage, parseBaggage } from './index.ts';

const read = (header: string): Record<string, string> => Object.fromEntries((parseBaggage(header)?.getAllEntries() ?? []).map(([name, { value }]) => [name, value]));
const baggage = (entries: Record<string, string>): ReturnType<typeof propagation.createBaggage> =>
  propagation.createBaggage(Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, { value }])));

test('reads the examples of W3C Baggage', () => {
  assert.deepEqual(read('key1=value1,key2 = value2 ; property1;property2, key3=value3; propertyKey=propertyValue'), { key1: 'value1', key2: 'value2', key3: 'value3' });
  assert.deepEqual(read('SomeKey=SomeValue=equals'), { SomeKey: 'SomeValue=equals' });
  assert.deepEqual(read('\tSomeKey \t = \t SomeValue \t '), { SomeKey: 'SomeValue' });
  assert.deepEqual(read('SomeKey=%09%20%22%27%3B%3Dasdf%21%40%23%24%25%5E%26%2A%28%29'), { SomeKey: '\t "\';=asdf!@#$%^&*()' });
  assert.deepEqual(read('empty=,flag!#$=1'), { empty: '', 'flag!#$': '1' });
  assert.deepEqual(read('bad=%E4%28x,loose=100%'), { bad: '\uFFFD(x', loose: '100%' });
});

test('leaves out what is malformed, and keeps the rest', () => {
  assert.deepEqual(read('a=1,,novalue,=2,b c=3,d="4",e=5 6,f=é,g=7;é,h=8,h=9'), { a: '1', h: '9' });
  for (const nothing of ['', ',,', 'x', '\u0000', ';a=b']) assert.equal(parseBaggage(nothing), undefined);
  assert.deepEqual(Object.keys(read('__proto__=1,constructor=2')).sort(), ['__proto__', 'constructor']);
});

test('takes 64 entries and 8,192 bytes, each entry whole or not at all', () => {
  const names = (header: string): string[] => parseBaggage(header)?.getAllEntries().map(([name]) => name) ?? [];
  assert.equal(names(Array.from({ length: 64 }, (_, n) => `k${n}=v`).join()).length, 64);
  assert.equal(names(Array.from({ length: 100 }, (_, n) => `k${n}=v`).join()).length, 64);
  assert.deepEqual(names(`a=${'x'.repeat(8_190)}`), ['a']);
  assert.deepEqual(names(`a=${'x'.repeat(8_191)},b=1`), ['b']);
  assert.deepEqual(names(`a=${'x'.repeat(5_000)},b=${'x'.repeat(5_000)},c=1`), ['a', 'c']);
});

test('writes what it reads, properties too, within the same limits', () => {
  const header = 'key1=value1;property1;property2=x,key2=a%2Cb%20%C3%A9';
  assert.equal(formatBaggage(parseBaggage(header) ?? assert.fail()), header);
  assert.equal(formatBaggage(baggage({})), '');
  assert.equal(formatBaggage(baggage({ long: 'x'.repeat(8_188), short: '1' })), 'short=1');
  assert.equal(formatBaggage(baggage({ long: 'x'.repeat(8_187) })).length, 8_192);
  assert.equal(formatBaggage(baggage(Object.fromEntries(Array.from({ length: 80 }, (_, n) => [`k${n}`, ''])))).split(',').length, 64);
});

test('writes nothing that a header could not carry', () => {
  const odd = baggage({ 'a b': 'x\ny', lone: '\ud800' }).setEntry('p', { value: '1', metadata: baggageEntryMetadataFromString('é') });
  assert.equal(formatBaggage(odd), 'a%20b=x%0Ay,lone=%EF%BF%BD,p=1');
});
