import assert from 'node:assert/strict';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { eventually } from '@talaria/testing';
import { MAIN, served, type Served } from './testing/served.ts';

const LIMIT_MS = 120_000;

type Cli = ChildProcessByStdio<Writable, Readable, Readable>;

describe('talaria call, as a process', { concurrency: 3 }, () => {
  let it_: Served;
  before(async () => (it_ = await served()));
  after(() => it_.stop());

  const environment = (): NodeJS.ProcessEnv => {
    const { ETCD_ENDPOINTS: _a, TALARIA_SERVICE_KEY_FILE: _b, npm_command: _c, ...inherited } = process.env;
    return { ...inherited, TALARIA_STATE_DIR: it_.stateDir };
  };
  /** Starts `talaria call streams.v1.StreamService/<method>`. */
  const start = (method: string, ...args: string[]): Cli => spawn(process.execPath, [MAIN, 'call', `streams.v1.StreamService/${method}`, '--no-as', ...args], { env: environment(), stdio: ['pipe', 'pipe', 'pipe'], timeout: LIMIT_MS });
  const textOf = (stream: Readable): (() => string) => {
    let text = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    return () => text;
  };

  it('converses: each value is sent when it is complete, each answer printed when it arrives', async () => {
    const cli = start('Chat');
    const errors = textOf(cli.stderr);
    const answers = createInterface(cli.stdout)[Symbol.asyncIterator]();
    const next = async (): Promise<unknown> => JSON.parse((await answers.next()).value ?? errors());
    cli.stdin.write('{"id":"one"}');
    assert.deepEqual(await next(), { id: 'one', description: '' });
    cli.stdin.write('{"id":');
    cli.stdin.write('"two"} {"id":"three"}\n');
    assert.deepEqual(await next(), { id: 'two', description: '' });
    assert.deepEqual(await next(), { id: 'three', description: '' });
    cli.stdin.end();
    assert.equal((await answers.next()).done, true);
    assert.deepEqual(await once(cli, 'exit'), [0, null]);
    assert.equal(errors(), '');
  });

  it('ends when the service ends the call, though its input is still open', async () => {
    const cli = start('Chat');
    const errors = textOf(cli.stderr);
    cli.stdin.on('error', () => {});
    cli.stdin.write('{"id":"bye"}');
    assert.deepEqual(await once(cli, 'exit'), [1, null]);
    assert.match(errors(), /^precondition_failed\.bye: They said goodbye\./);
  });

  it('sends nothing after a request that is wrong', async () => {
    const cli = start('Count');
    const [errors, out] = [textOf(cli.stderr), textOf(cli.stdout)];
    cli.stdin.end('{"id":"one"}\n{"id":\n"two",}\n{"id":"three"}');
    assert.deepEqual(await once(cli, 'close'), [2, null]);
    assert.equal(out(), '');
    assert.equal(errors(), 'talaria: The request is not JSON (line 3, column 7: no "," may stand before "}").\n');
  });

  it('is cancelled by signals, everywhere, with the exit codes of shells', async () => {
    for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]] as const) {
      const cli = start('Watch', `{"id":"${signal}"}`);
      const errors = textOf(cli.stderr);
      const [line] = (await Promise.race([once(createInterface(cli.stdout), 'line'), once(cli, 'close')])) as [unknown];
      assert.equal(typeof line, 'string', errors());
      assert.ok(it_.watching.includes(signal));
      cli.kill(signal);
      assert.deepEqual(await once(cli, 'exit'), [code, null]);
      await eventually(() => !it_.watching.includes(signal), { limitMs: 60_000 });
      assert.equal(errors(), '');
    }
  });

  it('ends quietly when its reader leaves, and cancels the call', async () => {
    const command = `"${process.execPath}" "${MAIN}" call streams.v1.StreamService/Watch '{"id":"head"}' --no-as | head -1; echo "codes \${PIPESTATUS[0]}"`;
    const shell = spawn('bash', ['-c', command], { env: environment(), stdio: ['ignore', 'pipe', 'pipe'], timeout: LIMIT_MS });
    const [out, errors] = [textOf(shell.stdout), textOf(shell.stderr)];
    assert.deepEqual(await once(shell, 'close'), [0, null]);
    assert.equal(out(), '{"id":"head","description":"1"}\ncodes 0\n');
    assert.equal(errors(), '');
    await eventually(() => !it_.watching.includes('head'), { limitMs: 60_000 });
  });

  it('reads what a shell pipes to it, and waits for nobody else', async () => {
    const run = async (command: string): Promise<string> => {
      const shell = spawn('bash', ['-c', command.replaceAll('talaria', `"${process.execPath}" "${MAIN}"`)], { env: environment(), stdio: ['pipe', 'pipe', 'inherit'], timeout: LIMIT_MS });
      const out = textOf(shell.stdout);
      assert.deepEqual(await once(shell, 'close'), [0, null]);
      return out();
    };
    assert.match(await run(`echo '{"id":"acc_1"}' | talaria call account.v1.AccountService/GetAccount`), /"id": "acc_1"/);
    assert.match(await run(`echo '{"id":"a"} {"id":"b"}' | talaria call streams.v1.StreamService/Count --no-as`), /"id": "a,b"/);
    // Standard input is a socket here that stays open, and nobody means it.
    assert.match(await run('talaria call auth.v1.AuthService/WhoAmI'), /"user_id": "user_dev"/);
    // Where there is an argument, standard input is somebody else's.
    assert.match(await run(`echo rest | { talaria call account.v1.AccountService/GetAccount '{"id":"acc_1"}' --compact; cat; }`), /^\{"account":\{"id":"acc_1",.*\}\}\nrest\n$/);
  });

  it('goes by --timeout, also for a stream', async () => {
    const cli = start('Watch', '{"id":"timeout"}', '--timeout', '500ms');
    const errors = textOf(cli.stderr);
    cli.stdout.resume();
    assert.deepEqual(await once(cli, 'close'), [1, null]);
    assert.match(errors(), /^timeout\.deadline: [^]*status DEADLINE_EXCEEDED, retryable, trace id [^]*--timeout/);
  });
});
