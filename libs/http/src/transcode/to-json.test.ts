import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { libraryContract } from '../testing/library-contract.ts';
import { readRoutes } from './routes.ts';
import { writeJson } from './to-json.ts';

const route = readRoutes(libraryContract).routes[0];
assert.ok(route);
const { registry, desc } = route;
const write = (json: JsonValue, only?: string): unknown =>
  JSON.parse(writeJson(desc.output, fromJson(desc.output, json, { registry }), { registry, only: desc.output.fields.find((field) => field.name === only) }));

test('answers hold defaults under proto names; a JS_NUMBER is a number, other int64 are strings', () => {
  const answer = write({ amount: '-520', amounts: ['1', '-9007199254740991'], big: '5', shelf: {} }) as Record<string, unknown>;
  assert.equal(answer['amount'], -520);
  assert.deepEqual(answer['amounts'], [1, -9007199254740991]);
  assert.equal(answer['big'], '5');
  assert.equal(answer['huge'], '0');
  assert.equal(answer['id'], '');
  assert.equal(answer['colour'], 'COLOUR_UNSPECIFIED');
  assert.deepEqual(answer['numbers'], []);
  assert.deepEqual(answer['shelf'], { id: '', theme: '', size: 0, colour: 'COLOUR_UNSPECIFIED', names: [] });
  assert.equal('at' in answer || 'left' in answer, false);
});

test('a JS_NUMBER that a JSON reader would round is never written', () => {
  assert.throws(() => write({ amount: '9007199254740993' }), { code: 'internal_service.inexact_number' });
  assert.throws(() => write({ amounts: ['-9007199254740992'] }), { code: 'internal_service.inexact_number' });
});

test('response_body picks one field', () => {
  assert.deepEqual(write({ numbers: [1, 2] }, 'numbers'), [1, 2]);
  assert.equal(write({ amount: '7' }, 'amount'), 7);
  assert.equal(write({}, 'shelf'), null);
});

test('free JSON and odd keys pass through', () => {
  assert.deepEqual(write({ free: JSON.parse('{"__proto__":{"a":1}}') as JsonValue }, 'free'), JSON.parse('{"__proto__":{"a":1}}'));
  assert.deepEqual(write({ labels: JSON.parse('{"__proto__":1}') as JsonValue }, 'labels'), JSON.parse('{"__proto__":1}'));
});
