import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readArguments } from './arguments.ts';
import { ServeError } from './serve-error.ts';

test('arguments, in every form in which nx passes them on', () => {
  const inspect = (...args: string[]) => readArguments(args).inspect;
  assert.deepEqual(readArguments(['webhook-api']), { app: 'webhook-api', inspect: undefined, instances: [], help: false });
  for (const args of [['--inspect'], ['--inspect=true'], ['--inspect', '9229'], ['--inspect=9229'], ['--inspect=127.0.0.1:9229'], ['--inspect=localhost:9229']]) assert.deepEqual(inspect(...args), { brk: false, port: 9229 }, args.join(' '));
  assert.deepEqual(readArguments(['--inspect-brk=0', 'one']), { app: 'one', inspect: { brk: true, port: 0 }, instances: [], help: false });
  assert.deepEqual(readArguments(['--inspect', 'one']), { app: 'one', inspect: { brk: false, port: 9229 }, instances: [], help: false });
  assert.equal(readArguments(['one', '--help']).help, true);
  for (const args of [['--instances', '3', 'one'], ['one', '--instances=3'], ['one', '--instances', '3']]) {
    const { app, instances } = readArguments(args);
    assert.deepEqual({ app, instances }, { app: 'one', instances: [{ app: undefined, count: 3 }] }, args.join(' '));
  }
  assert.deepEqual(readArguments(['one', '--instances=two=2,3', '--instances', 'three=20']).instances, [{ app: 'two', count: 2 }, { app: undefined, count: 3 }, { app: 'three', count: 20 }]);
});

test('one sentence says what is wrong with an argument', () => {
  const refuses = (args: string[], says: RegExp) => assert.throws(() => readArguments(args), (error: Error) => error instanceof ServeError && says.test(error.message));
  refuses(['one', '--inspect=65536'], /no port.*--inspect=9230/);
  refuses(['one', '--inspect=0.0.0.0:9229'], /127\.0\.0\.1 only/);
  refuses(['one', '--inspect-brk=x'], /no port.*--inspect-brk=9230/);
  refuses(['one', '--insepct'], /no option --insepct/);
  for (const value of ['0', '21', '-1', '2.5', 'many', '', '3,', 'one=', '=3', 'one=two=3', '1e1', '99999999999']) refuses(['one', `--instances=${value}`], /no number of instances from 1 to 20: use --instances=3/);
  refuses(['one', '--instances'], /no number of instances/);
  refuses(['one', 'two'], /"two" is a second one/);
});
