import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { nxTasks, testFiles } from './attempts.ts';
import { runSuites } from './step.ts';

const folder = mkdtempSync(join(tmpdir(), 'check-'));
after(() => rmSync(folder, { recursive: true }));

/** Stands for nx: prints as it does, the list of what failed on standard error, for the projects `base`, which is sound, and `rpc`, which fails as often as `times` says. */
function fakeNx(name: string, times: number): { nx: { command: string; args: string[] }; calls: () => string[][] } {
  const file = join(folder, `${name}.js`);
  const log = join(folder, `${name}.log`);
  writeFileSync(
    file,
    `const { appendFileSync, existsSync, readFileSync } = require('node:fs');
    const log = ${JSON.stringify(log)};
    const args = process.argv.slice(2);
    const earlier = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\\n').length : 0;
    appendFileSync(log, JSON.stringify(args) + '\\n');
    const projects = args.includes('-p') ? args[args.indexOf('-p') + 1].split(',') : ['base', 'rpc'];
    const fails = earlier < ${times};
    for (const project of projects) {
      const failed = project === 'rpc' && fails ? 1 : 0;
      const say = (line) => console.log(project + ': ' + line);
      say('ℹ pass ' + (2 - failed)); say('ℹ fail ' + failed); say('ℹ duration_ms 1');
      if (failed) { say('✖ failing tests:'); say('test at src/a.test.ts:1:1'); say('✖ answers (1ms)'); }
    }
    if (fails) { console.error('\\nFailed tasks:\\n\\n- rpc:test\\n'); process.exitCode = 1; }`,
  );
  return {
    nx: { command: process.execPath, args: [file] },
    calls: () => readFileSync(log, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as string[]),
  };
}

test('a project that fails runs again by itself, not in parallel', async () => {
  const { nx, calls } = fakeNx('once', 1);
  const printed: string[] = [];
  const result = await runSuites('unit', nxTasks({ targets: ['test'], nx }, (line) => printed.push(line)));
  assert.deepEqual([result.ok, result.tally.passed, result.tally.failed], [true, 4, 0]);
  assert.deepEqual(result.flaky, ['rpc: src/a.test.ts: answers']);
  const [first, second, ...more] = calls();
  assert.deepEqual(more, []);
  assert.ok(!first?.some((argument) => argument.startsWith('--parallel') || argument === '-p'), String(first));
  assert.deepEqual(second?.slice(-3).filter((argument) => argument !== '--skip-nx-cache').slice(-2), ['rpc', '--parallel=1'], String(second));
  const sum = printed.map((line) => /ℹ pass (\d+)$/.exec(line)?.[1]).reduce((total, found) => total + Number(found ?? 0), 0);
  assert.equal(sum, 4);
});

test('a project that fails again has failed', async () => {
  const result = await runSuites('unit', nxTasks({ targets: ['test'], nx: fakeNx('twice', 2).nx }, () => {}));
  assert.deepEqual([result.ok, result.tally.passed, result.tally.failed], [false, 3, 1]);
  assert.deepEqual(result.failures, ['rpc: src/a.test.ts: answers']);
});

test('what fails besides tests makes everything run again', async () => {
  const file = join(folder, 'generate.js');
  writeFileSync(file, `console.error('Failed tasks:\\n\\n- rpc:test\\n- contracts:generate'); process.exitCode = 1;`);
  const attempt = await nxTasks({ targets: ['test'], nx: { command: process.execPath, args: [file] } }, () => {})();
  assert.deepEqual([attempt.ok, attempt.failed], [false, []]);
});

test('a file of tests that fails runs again', async () => {
  const mark = join(folder, 'ran-before');
  writeFileSync(join(folder, 'good.test.js'), `require('node:test').test('is good', () => {});`);
  writeFileSync(
    join(folder, 'shaky.test.js'),
    `const { existsSync, writeFileSync } = require('node:fs');
    const { test } = require('node:test');
    test('is sound', () => {});
    test('needs two attempts', () => { if (!existsSync(process.env.MARK)) { writeFileSync(process.env.MARK, ''); throw new Error('no'); } });`,
  );
  writeFileSync(join(folder, 'broken.test.js'), `process.exit(3);`);
  const printed: string[] = [];
  const attempts = testFiles({ folder, files: ['good.test.js', 'shaky.test.js', 'broken.test.js'], env: { MARK: mark } }, (line) => printed.push(line));
  const result = await runSuites('e2e', attempts);
  assert.ok(existsSync(mark));
  assert.deepEqual([result.ok, result.tally.passed, result.tally.failed], [false, 3, 1]);
  assert.deepEqual(result.flaky, ['shaky.test.js: needs two attempts']);
  assert.deepEqual(result.failures, ['broken.test.js']);
  assert.equal(printed.filter((line) => line === '\n=== node --test shaky.test.js').length, 2);
  assert.equal(printed.filter((line) => line === '\n=== node --test good.test.js').length, 1);
});
