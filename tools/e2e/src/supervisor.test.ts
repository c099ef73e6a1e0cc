import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { ask, eventually, login, openAccount, usePlatform } from './harness.ts';
import { ROOT, run } from './run.ts';

const platform = usePlatform();
const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test('readyz is 200, and one service that is down is a 503 of its own', async () => {
  const token = await login(platform());
  const account = await openAccount(platform(), token);
  assert.equal((await ask(platform(), '/readyz')).status, 200);
  const frozen = (await platform().processes()).filter(({ command }) => command.includes('apps/account-service/'));
  assert.ok(frozen.length > 0);
  // Dead and held down: its supervisor would bring it back, so it is frozen instead, and must not hang anybody.
  for (const { pid } of frozen) process.kill(pid, 'SIGSTOP');
  try {
    const answer = await ask(platform(), `/accounts/${account}`, { token });
    assert.ok([503, 504].includes(answer.status), JSON.stringify(answer.body));
    assert.match(answer.body.code, /^(unavailable|timeout)\./);
    assert.equal((await ask(platform(), '/readyz')).status, 200);
    assert.equal((await ask(platform(), '/ping/whoami', { token })).status, 200);
  } finally {
    for (const { pid } of frozen) process.kill(pid, 'SIGCONT');
  }
  await eventually(async () => (await ask(platform(), `/accounts/${account}`, { token })).status === 200, { limitMs: 60_000 });
});

test('a second serve in the same state directory, or on the same port, gets one sentence', async () => {
  const port = new URL(platform().gateway).port;
  const serve = async (env: Record<string, string>): Promise<string> => run('node', ['tools/serve/src/main.ts', 'webhook-api'], { env }).then(() => 'it started', (error: Error) => error.message);
  assert.match(await serve({ TALARIA_STATE_DIR: platform().stateDir, PORT: '0' }), /TALARIA_STATE_DIR/);
  assert.match(await serve({ TALARIA_STATE_DIR: `${platform().stateDir}-second`, PORT: port }), /PORT/);
});

test('when the supervisor is killed its children stop, and the next serve starts cleanly', async () => {
  const before = await platform().processes();
  const supervisor = before.find(({ command }) => command.includes('tools/serve/'));
  assert.ok(supervisor);
  process.kill(supervisor.pid, 'SIGKILL');
  await eventually(() => !before.some(({ pid }) => alive(pid)), { limitMs: 60_000 });
  const port = new URL(platform().gateway).port;
  const again = spawn('node', ['tools/serve/src/main.ts', 'webhook-api'], {
    cwd: ROOT,
    env: { ...process.env, TALARIA_STATE_DIR: platform().stateDir, PORT: port, TALARIA_NAMESPACE: `e2e-${process.pid}` },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    await eventually(async () => (await ask(platform(), '/readyz')).status === 200, { limitMs: 120_000 });
  } finally {
    const closed = once(again, 'exit');
    again.kill('SIGTERM');
    await closed;
  }
});
