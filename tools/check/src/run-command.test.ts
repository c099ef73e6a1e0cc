import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCommand } from './run-command.ts';

const node = (script: string, silentMs?: number): { lines: string[]; ran: Promise<boolean> } => {
  const lines: string[] = [];
  return { lines, ran: runCommand({ command: process.execPath, args: ['--eval', script], ...(silentMs === undefined ? {} : { silentMs }) }, (line) => lines.push(line)) };
};

test('passes on what is printed, errors too, and says whether it worked', async () => {
  const sound = node('console.log(1); console.error(2)');
  assert.equal(await sound.ran, true);
  assert.deepEqual(sound.lines.sort(), ['1', '2']);
  assert.equal(await node('process.exitCode = 3').ran, false);
  await assert.rejects(runCommand({ command: 'no-such-command', args: [] }, () => {}));
});

test('ends what hangs, and does not wait for what it left behind', async () => {
  const hangs = node('setInterval(() => {}, 1000)', 100);
  assert.equal(await hangs.ran, false);
  assert.match(hangs.lines[0] ?? '', /it hangs, and is ended/);
  const leaves = node(`require('node:child_process').spawn(process.execPath, ['--eval', 'setTimeout(() => {}, 20_000)'], { stdio: 'inherit', detached: true }).unref(); process.exit(0)`);
  assert.equal(await leaves.ran, true);
});
