import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startRealPlatform } from '@talaria/testing';
import { ask, eventually, login, openAccount } from './harness.ts';
import { run } from './run.ts';

test('three instances behind the gateway: one is killed, then all are restarted one by one, and no read fails', { timeout: 600_000 }, async () => {
  const namespace = `instances-${process.pid}`;
  const platform = await startRealPlatform({ app: 'webhook-api', args: ['--instances', 'account-service=3'], env: { TALARIA_NAMESPACE: namespace, LOG_LEVEL: 'info' } });
  const stop = new AbortController();
  let clients: Promise<unknown> = Promise.resolve();
  try {
    assert.match(platform.output(), /is ready at .*: account-service in 3 instances\./);
    const pids = async (): Promise<Map<string, number>> => {
      const noted = JSON.parse(await readFile(join(platform.stateDir, 'processes.json'), 'utf8')) as { name: string; pid: number }[];
      return new Map(noted.filter(({ name }) => name.startsWith('account-service')).map(({ name, pid }) => [name, pid]));
    };
    const before = await pids();
    assert.deepEqual([...before.keys()].sort(), ['account-service#1', 'account-service#2', 'account-service#3']);

    const token = await login(platform);
    const account = await openAccount(platform, token);
    const failed: string[] = [];
    let calls = 0;
    const client = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        const { status, body } = await ask(platform, `/accounts/${account}`, { token });
        calls++;
        if (status !== 200) failed.push(`${status} ${JSON.stringify(body)}`);
      }
    };
    clients = Promise.all([client(), client(), client()]);
    const more = (): Promise<unknown> => {
      const enough = calls + 50;
      return eventually(() => calls >= enough, { limitMs: 120_000 });
    };
    const replaced = (of: ReadonlyMap<string, number>, names: readonly string[]): Promise<unknown> =>
      eventually(async () => {
        const now = await pids();
        return names.every((name) => now.has(name) && now.get(name) !== of.get(name)) && now.size === 3;
      }, { limitMs: 120_000 });

    const registered = async (): Promise<number> => (await run('npx', ['talaria', 'services'], { env: { TALARIA_STATE_DIR: platform.stateDir, TALARIA_NAMESPACE: namespace } })).match(/account\.v1\.AccountService +service\.account/g)?.length ?? 0;
    await more();
    process.kill(before.get('account-service#2') ?? -1, 'SIGKILL');
    await replaced(before, ['account-service#2']);
    await more();

    // As a changed source would: another serve of this checkout must not see one.
    for (const name of before.keys()) {
      const now = await pids();
      process.kill(now.get(name) ?? -1, 'SIGTERM');
      await replaced(now, [name]);
      await eventually(async () => (await registered()) === 3, { limitMs: 120_000 });
    }
    await more();
    assert.deepEqual(failed, []);
  } finally {
    stop.abort();
    await clients;
    await platform.stop();
  }
});
