import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countCodeLines } from './count-code-lines.ts';
import { mainFiles, MOST_MAIN_LINES } from './main-files.ts';

test('counts lines that hold code, and no blank ones and no comments', () => {
  const source = `// A comment.

/**
 * A doc comment.
 */
import { a } from './a.ts'; // behind code
/* before */ const b = '// no comment';

const c = \`two
lines /* no comment */\`;
run(
  // an argument
  a,
);
/* several
   lines */
`;
  assert.equal(countCodeLines(source), 7);
  assert.equal(countCodeLines(''), 0);
  assert.equal(countCodeLines('#!/usr/bin/env node\n\nexport const a = /[/]*"/;\n'), 1);
});

test('the main file of each app is wiring only', () => {
  const files = mainFiles();
  assert.ok(files.length >= 6, JSON.stringify(files));
  assert.deepEqual(files.filter(({ lines }) => lines > MOST_MAIN_LINES || lines === 0), []);
});
