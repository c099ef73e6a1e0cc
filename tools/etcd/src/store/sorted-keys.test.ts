import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seeded } from '../testing/random-requests.ts';
import { createSortedKeys } from './sorted-keys.ts';

test('holds the same keys in the same order as a sorted array, over many chunks', () => {
  const random = seeded(1);
  const keys = createSortedKeys();
  const model = new Set<string>();
  for (let n = 0; n < 20_000; n++) {
    const key = String.fromCharCode(...Array.from({ length: 3 }, () => Math.floor(random() * 32) * 8));
    if (model.has(key) && random() < 0.7) {
      model.delete(key);
      keys.remove(key);
    } else if (!model.has(key)) {
      model.add(key);
      keys.add(key);
    }
  }
  keys.remove('not there');
  const sorted = [...model].sort();
  assert.ok(sorted.length > 3000);
  assert.deepEqual([...keys.from('', null)], sorted);
  for (const [from, end] of [
    ['\x40', '\x80'],
    ['\x41', '\x40'],
    ['\xf8', null],
    [sorted[1500] as string, sorted[1502] as string],
  ] as const) {
    assert.deepEqual([...keys.from(from, end)], sorted.filter((key) => key >= from && (end === null || key < end)));
  }
  for (const key of sorted) keys.remove(key);
  assert.deepEqual([...keys.from('', null)], []);
});
