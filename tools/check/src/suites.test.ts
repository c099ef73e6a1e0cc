import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSuites } from './suites.ts';

/** What node's test runner prints at the end. */
const counts = (pass: number, fail: number, cancelled = 0): string[] => [
  `ℹ tests ${pass + fail + cancelled}`,
  'ℹ suites 1',
  `ℹ pass ${pass}`,
  `ℹ fail ${fail}`,
  `ℹ cancelled ${cancelled}`,
  'ℹ skipped 1',
  'ℹ todo 0',
  'ℹ duration_ms 517.18',
];

const prefixed = (name: string, lines: readonly string[]): string[] => lines.map((line) => `${name}: ${line}`);

const BROKEN = [
  '✖ starts again (12.5ms)',
  ...counts(3, 1, 1),
  '',
  '✖ failing tests:',
  '',
  'test at src/supervisor.test.ts:12:3',
  '✖ starts again (12.5ms)',
  '  AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:',
  'test at src/alone.test.ts:1:1',
  '✖ src/alone.test.ts (29958.236652ms)',
  "  'test failed'",
  'test at src/todo.test.ts:3:1',
  '⚠ todo (0.605026ms) # TODO',
];

test('reads several suites whose lines are mixed', () => {
  const written: string[] = [];
  const reader = readSuites((line) => written.push(line));
  const good = prefixed('base', ['✔ a slip of the pen (3.4ms)', ...counts(12, 0)]);
  const broken = prefixed('serve-tool', BROKEN);
  const lines = good.flatMap((line, index) => [line, ...(broken[index] === undefined ? [] : [broken[index]])]).concat(broken.slice(good.length));
  for (const line of lines) reader.line(line);
  assert.deepEqual(reader.end(), {
    failedTasks: [],
    suites: [
      { name: 'base', tally: { passed: 12, failed: 0, skipped: 1 }, failures: [] },
      { name: 'serve-tool', tally: { passed: 3, failed: 2, skipped: 1 }, failures: ['src/supervisor.test.ts: starts again', 'src/alone.test.ts'] },
    ],
  });
  // Adding up what was passed on gives what passed, whatever becomes of the suite that runs again.
  assert.deepEqual(written.filter((line) => /ℹ (pass|fail|cancelled) /.test(line)), ['base: ℹ pass 12', 'base: ℹ fail 0', 'base: ℹ cancelled 0']);
  assert.ok(written.includes('serve-tool: ℹ 3 of 5 tests passed'), written.join('\n'));
  assert.ok(written.includes('serve-tool: ✖ starts again (12.5ms)'));
});

test("reads what nx repeats from its cache, and nx's list of what failed", () => {
  const reader = readSuites(() => {});
  const lines = [
    ...['', '> nx run errors:test  [existing outputs match the cache, left as is]', '', '> node --test "src/**/*.test.ts"', '', ...counts(17, 0)],
    ...['', '> nx run @talaria/api-gateway:test', '', ...prefixed('@talaria/api-gateway', counts(4, 0))],
    ...[' NX   Running target test for 2 projects failed', '', 'Failed tasks:', '', '- @talaria/api-gateway:test', '- contracts:generate', ''],
  ];
  for (const line of lines) reader.line(line);
  const { suites, failedTasks } = reader.end();
  assert.deepEqual(suites.map(({ name, tally }) => [name, tally.passed]), [['errors', 17], ['@talaria/api-gateway', 4]]);
  assert.deepEqual(failedTasks, ['@talaria/api-gateway:test', 'contracts:generate']);
});

test('reads coloured lines, and counts that end too early', () => {
  const written: string[] = [];
  const reader = readSuites((line) => written.push(line));
  reader.line('\u001b[34mbase: ℹ pass 3\u001b[39m');
  assert.deepEqual(written, []);
  assert.deepEqual(reader.end().suites, [{ name: 'base', tally: { passed: 3, failed: 0, skipped: 0 }, failures: [] }]);
  assert.equal(written.length, 1);
});
