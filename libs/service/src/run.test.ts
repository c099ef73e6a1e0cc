import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { eventually } from '@talaria/testing';

interface Program {
  readonly child: ChildProcess;
  readonly ready: Promise<unknown>;
  /** Its exit code. */
  readonly exit: Promise<number | null>;
  output(): string;
}

/** Not 'close', which Node does not emit once the channel was disconnected from here. */
async function ended(child: ChildProcess): Promise<number | null> {
  const streams = [child.stdout, child.stderr].map(async (stream) => stream && once(stream, 'end'));
  const [code] = (await once(child, 'exit')) as [number | null];
  await Promise.all(streams);
  return code;
}

function start(mode: string, env: Record<string, string> = {}): Program {
  const { NODE_TEST_CONTEXT: _marked, ETCD_ENDPOINTS: _etcd, ...inherited } = process.env;
  const child = spawn(process.execPath, [join(import.meta.dirname, 'testing/program.ts'), mode], { env: { ...inherited, LOG_FORMAT: 'json', ...env }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  return { child, ready: once(child, 'message').then(([message]: unknown[]) => message), exit: ended(child), output: () => output };
}

describe('a service as a process', { timeout: 60_000 }, () => {
  test('says that it is ready, and ends well at SIGTERM', async () => {
    const { child, ready, exit, output } = start('plain');
    assert.deepEqual(await ready, { ready: true });
    child.kill('SIGTERM');
    assert.equal(await exit, 0, output());
    assert.match(output(), /"reason":"SIGTERM"/);
  });

  test('ends when its supervisor is gone', async () => {
    const { child, ready, exit, output } = start('plain', { TALARIA_SUPERVISED: '1' });
    await ready;
    child.disconnect();
    assert.equal(await exit, 0, output());
  });

  test('exits at once at a second Ctrl-C; the supervisor repeating it in its own words does not count', async () => {
    const { child, ready, exit, output } = start('stubborn');
    await ready;
    child.kill('SIGINT');
    await eventually(() => output().includes('"msg":"stopping"'));
    child.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(child.exitCode, null);
    child.kill('SIGINT');
    assert.equal(await exit, 130, output());
  });

  test('says in one line what has to be put right', async () => {
    const { exit, output } = start('unset');
    assert.equal(await exit, 1);
    const lines = output().trim().split('\n');
    assert.equal(lines.length, 1, output());
    assert.match(lines[0] ?? '', /ETCD_ENDPOINTS is missing: run \\"npx nx serve <app>\\"/);
  });

  test('writes its log in the format and to the stream that are set, also what keeps it from starting', async () => {
    const { child, exit } = start('unset', { LOG_FORMAT: 'logfmt', LOG_OUTPUT: 'stderr' });
    let [out, err] = ['', ''];
    child.stdout?.on('data', (text: string) => (out += text));
    child.stderr?.on('data', (text: string) => (err += text));
    assert.equal(await exit, 1);
    assert.equal(out, '');
    assert.match(err, /^time=\S+ level=fatal service=service\.\S+ msg=".*ETCD_ENDPOINTS is missing/);
  });

  test('reports a wrong format and a wrong stream together with the rest', async () => {
    const { exit, output } = start('unset', { LOG_FORMAT: 'xml', LOG_OUTPUT: 'printer' });
    assert.equal(await exit, 1);
    assert.match(output(), /LOG_FORMAT is .*xml.*\n.*LOG_OUTPUT is .*printer.*\n.*ETCD_ENDPOINTS is missing/);
  });

  test('ends when something failed that nobody caught', async () => {
    const { exit, output } = start('failing');
    assert.equal(await exit, 1, output());
    assert.match(output(), /nobody caught this/);
  });
});
