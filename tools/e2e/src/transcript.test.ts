import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, startRealPlatform } from '@talaria/testing';
import { lacking, ROOT } from './run.ts';

const isFree = (port: number, host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EADDRINUSE'));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });

/** The README's transcript, word for word. */
async function transcript(): Promise<string> {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  const block = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map((found) => found[1] ?? '').find((text) => text.includes('TOKEN='));
  assert.ok(block, 'README.md has no transcript');
  return block;
}

test('the transcript of the README works word for word', async (t) => {
  const busy: number[] = [];
  for (const port of [8080, 9000]) {
    const free = await Promise.all([isFree(port, '127.0.0.1'), isFree(port, '::1')]);
    if (free.includes(false)) busy.push(port);
  }
  const reason = (await lacking(['curl', 'jq'])) || (busy.length > 0 && `port ${busy.join(' and ')} is taken`);
  if (reason) {
    assert.ok(!process.env['CI'], reason);
    t.skip(reason);
    return;
  }
  const platform = await startRealPlatform({ app: 'webhook-api', env: { PORT: '8080', TALARIA_NAMESPACE: `transcript-${process.pid}` } });
  const shell = spawn('bash', ['-c', `${await transcript()}\nwait`], {
    cwd: ROOT,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TALARIA_STATE_DIR: platform.stateDir },
  });
  try {
    let printed = '';
    shell.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    shell.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    await eventually(() => {
      assert.match(printed, /"transaction":/, printed);
      assert.match(printed, /transaction\.created/, printed);
      assert.match(printed, /Coffee/, printed);
      assert.match(printed, /verif/i, printed);
      return true;
    }, { limitMs: 60_000 });
    assert.doesNotMatch(printed, /not verif|does not|invalid|wrong/i);
  } finally {
    // The listener runs in the background of that shell: its process group goes with it.
    process.kill(-(shell.pid ?? 0), 'SIGTERM');
    await platform.stop();
  }
});
