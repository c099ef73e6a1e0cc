import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readArguments } from './arguments.ts';
import { ServeError } from './serve-error.ts';

test('arguments, in every form in which nx passes them on', () => {
  const inspect = (...args: string[]) => readArguments(args).inspect;
  assert.deepEqual(readArguments(['webhook-api']), { app: 'webhook-api', inspect: undefined, help: false });
  for (const args of [['--inspect'], ['--inspect=true'], ['--inspect', '9229'], ['--inspect=9229'], ['--inspect=127.0.0.1:9229'], ['--inspect=localhost:9229']]) assert.deepEqual(inspect(...args), { brk: false, port: 9229 }, args.join(' '));
  assert.deepEqual(readArguments(['--inspect-brk=0', 'one']), { app: 'one', inspect: { brk: true, port: 0 }, help: false });
  assert.deepEqual(readArguments(['--inspect', 'one']), { app: 'one', inspect: { brk: false, port: 9229 }, help: false });
  assert.equal(readArguments(['one', '--help']).help, true);
});

test('one sentence says what is wrong with an argument', () => {
  const refuses = (args: string[], says: RegExp) => assert.throws(() => readArguments(args), (error: Error) => error instanceof ServeError && says.test(error.message));
  refuses(['one', '--inspect=65536'], /no port.*--inspect=9230/);
  refuses(['one', '--inspect=0.0.0.0:9229'], /127\.0\.0\.1 only/);
  refuses(['one', '--inspect-brk=x'], /no port.*--inspect-brk=9230/);
  refuses(['one', '--insepct'], /no option --insepct/);
  refuses(['one', 'two'], /"two" is a second one/);
});
