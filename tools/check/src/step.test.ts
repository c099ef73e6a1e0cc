import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Attempts } from './attempts.ts';
import { report } from './report.ts';
import { runSuites, runTasks } from './step.ts';
import { type Attempt, type Suite } from './suites.ts';

const suite = (name: string, passed: number, failures: readonly string[] = []): Suite => ({ name, tally: { passed, failed: failures.length, skipped: 0 }, failures });
const attempt = (suites: readonly Suite[], failed: readonly string[] = suites.filter(({ tally }) => tally.failed > 0).map(({ name }) => name)): Attempt => ({ ok: failed.length === 0, suites, failed });

/** What ran, and, in turn, what came of it. */
function recorded(...attempts: readonly Attempt[]): { attempts: Attempts; asked: (readonly string[] | undefined)[] } {
  const asked: (readonly string[] | undefined)[] = [];
  return {
    asked,
    attempts: async (only) => {
      const next = attempts[asked.length];
      asked.push(only);
      assert.ok(next, 'it ran too often');
      return next;
    },
  };
}

test('what passes at once does not run again', async () => {
  const { attempts, asked } = recorded(attempt([suite('base', 12), suite('errors', 3)]));
  const result = await runSuites('unit', attempts);
  assert.deepEqual(asked, [undefined]);
  assert.deepEqual([result.ok, result.tally, result.flaky, result.failures], [true, { passed: 15, failed: 0, skipped: 0 }, [], []]);
});

test('a suite that failed and then passed counts once, as passed, and is named', async () => {
  const { attempts, asked } = recorded(attempt([suite('base', 12), suite('serve-tool', 7, ['src/a.test.ts: starts again'])]), attempt([suite('serve-tool', 8)]));
  const result = await runSuites('unit', attempts);
  assert.deepEqual(asked, [undefined, ['serve-tool']]);
  assert.deepEqual([result.ok, result.tally], [true, { passed: 20, failed: 0, skipped: 0 }]);
  assert.deepEqual([result.flaky, result.failures], [['serve-tool: src/a.test.ts: starts again'], []]);
  const lines = report([result]).split('\n');
  assert.equal(lines.at(-1), '20 passed, 0 failed');
  assert.match(lines[0] ?? '', /^flaky: /);
  assert.equal(lines[1], '  serve-tool: src/a.test.ts: starts again');
  assert.doesNotMatch(report([result]), /^failed|[1-9]\d* failed|FAILED/m);
});

test('a suite that fails twice fails, and only its second run counts', async () => {
  const first = attempt([suite('base', 12), suite('serve-tool', 7, ['a', 'b']), suite('rpc', 1, ['c'])]);
  const { attempts } = recorded(first, attempt([suite('serve-tool', 8, ['b']), suite('rpc', 2)]));
  const result = await runSuites('unit', attempts);
  assert.deepEqual([result.ok, result.tally], [false, { passed: 22, failed: 1, skipped: 0 }]);
  assert.deepEqual([result.flaky, result.failures], [['rpc: c'], ['serve-tool: b']]);
  assert.match(report([result]), /^failed:\n {2}serve-tool: b$/m);
  assert.match(report([result]), /\n22 passed, 1 failed$/);
});

test('a suite that fails without a failed test runs again, and counts as one if that fails too', async () => {
  const crashed = attempt([suite('base', 12)], ['rpc']);
  const twice = await runSuites('unit', recorded(crashed, attempt([], ['rpc'])).attempts);
  assert.deepEqual([twice.ok, twice.tally.passed, twice.tally.failed], [false, 12, 1]);
  assert.match(twice.failures[0] ?? '', /^rpc: /);
  const once = await runSuites('unit', recorded(crashed, attempt([suite('rpc', 5)])).attempts);
  assert.deepEqual([once.ok, once.tally.passed, once.tally.failed], [true, 17, 0]);
  assert.match(once.flaky[0] ?? '', /^rpc: /);
});

test('if no suite is to blame everything runs again, and nothing counts twice', async () => {
  const nothing: Attempt = { ok: false, suites: [suite('base', 12)], failed: [] };
  const { attempts, asked } = recorded(nothing, attempt([suite('base', 12), suite('rpc', 5)]));
  const once = await runSuites('unit', attempts);
  assert.deepEqual(asked, [undefined, undefined]);
  assert.deepEqual([once.ok, once.tally.passed, once.tally.failed, once.flaky.length], [true, 17, 0, 1]);
  const twice = await runSuites('unit', recorded(nothing, nothing).attempts);
  assert.deepEqual([twice.ok, twice.tally.passed, twice.tally.failed], [false, 12, 1]);
});

test('a second run that cannot be made leaves the first one as it was', async () => {
  const first = attempt([suite('base', 12), suite('rpc', 4, ['c'])]);
  const result = await runSuites('unit', recorded(first, { ok: false, suites: [], failed: [] }).attempts);
  assert.deepEqual([result.ok, result.tally.passed, result.tally.failed, result.flaky], [false, 16, 1, []]);
  assert.deepEqual(result.failures, ['rpc: c']);
});

test('tasks without tests run once', async () => {
  const { attempts } = recorded({ ok: false, suites: [], failed: [] });
  const result = await runTasks('static', attempts);
  assert.deepEqual([result.ok, result.tally], [false, { passed: 0, failed: 1, skipped: 0 }]);
  assert.deepEqual((await runTasks('static', recorded(attempt([])).attempts)).tally, { passed: 0, failed: 0, skipped: 0 });
});
