import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { add, closingLine, count, NOTHING } from './tally.ts';

test('counts what the test runner prints, also behind a prefix', () => {
  const lines = ['ℹ tests 14', 'ℹ pass 12', 'base: ℹ fail 1', '# cancelled 1', 'ℹ skipped 2', 'a test that says pass 99 of them'];
  assert.deepEqual(lines.reduce(count, NOTHING), { passed: 12, failed: 2, skipped: 2 });
});

test('counts a coloured line once its colours are gone', () => {
  assert.equal(count(NOTHING, stripVTControlCharacters('\u001b[34mℹ pass 3\u001b[39m')).passed, 3);
});

test('the closing line names skipped tests only if there are any', () => {
  assert.equal(closingLine({ passed: 3, failed: 0, skipped: 0 }), '3 passed, 0 failed');
  assert.equal(closingLine(add({ passed: 3, failed: 0, skipped: 0 }, { passed: 1, failed: 1, skipped: 1 })), '4 passed, 1 failed, 1 skipped');
});
