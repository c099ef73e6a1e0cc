import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { bucketOf, BUCKETS, silentLogger } from '@talaria/base';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { connectEtcd } from '@talaria/etcd';
import { createService, internal, type Service } from '@talaria/service';
import { ask, eventually, login, usePlatform } from './harness.ts';
import { ROOT, run } from './run.ts';

const platform = usePlatform();
const NAMESPACE = `e2e-${String(process.pid)}`;
/** Which share of the calls the new version fails, and whether it is heard of at all. */
let failing = 0;
let release: Service | undefined;
let tokens: readonly string[] = [];
const calling = new AbortController();

const file = (): { etcd_endpoints: string } => JSON.parse(readFileSync(join(platform().stateDir, 'platform.json'), 'utf8')) as { etcd_endpoints: string };

/** An instance of account-service with another version: of its methods it serves one, and fails as often as it is told to. */
async function start(version: string): Promise<void> {
  const env = { ...process.env, ETCD_ENDPOINTS: file().etcd_endpoints, TALARIA_NAMESPACE: NAMESPACE, TALARIA_LISTEN: 'h2c://127.0.0.1:0', TALARIA_SERVICE_KEY_FILE: join(platform().stateDir, 'keys', 'service.account.jwk') };
  let calls = 0;
  release = createService({ name: 'service.account', description: 'Another version', version, platform: { env, log: silentLogger } });
  release.add(AccountServiceDefinition, {
    createAccount: async () => { throw internal('not_here', 'not here'); },
    getAccount: async () => { throw internal('not_here', 'not here'); },
    async listAccounts() {
      // Every third, not one in three by chance.
      calls += 1;
      if (Math.floor(calls * failing) !== Math.floor((calls - 1) * failing)) throw internal('broken', 'This version is broken.');
      return { accounts: [{ id: 'acc_1', description: version, created: undefined }] };
    },
  });
  await release.start();
}
afterEach(async () => {
  failing = 0;
  await release?.stop();
});

/** What answers one of the clients for development: a version, or nothing when it is the one that `serve` runs. */
async function versionFor(client: number): Promise<string | undefined> {
  const { status, body } = await ask(platform(), '/accounts?limit=1', { token: tokens[client] ?? '' });
  return status === 200 ? body.accounts.find(({ id }: { id: string }) => id === 'acc_1')?.description : `failed ${String(status)}`;
}
/** A share that one of the two clients is in and the other is not. */
function halfway(version: string): number {
  const buckets = ['user_dev', 'user_dev2'].map((id) => bucketOf(`canary:service.account@${version}`, id));
  return Math.ceil(((Math.min(...buckets) + Math.max(...buckets)) / 2 / BUCKETS) * 10_000) / 100;
}

interface Command {
  readonly pid: number;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}
function canary(version: string, options: readonly string[]): Command {
  const common = ['--min-calls', '30', '--max-p99-ratio', '1000', '--steps', `${String(halfway(version))},100`];
  const child = spawn(process.execPath, [join(ROOT, 'tools/cli/src/main.ts'), 'canary', 'service.account', version, ...common, ...options], {
    cwd: ROOT,
    env: { ...process.env, TALARIA_STATE_DIR: platform().stateDir, TALARIA_NAMESPACE: NAMESPACE },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(child, 'close').then(() => child.exitCode);
  after(() => child.kill('SIGKILL'));
  return { pid: child.pid ?? -1, output: () => output, ended };
}

/** What is stored of the rules: for good, and for a while. */
async function stored(): Promise<{ readonly rules: { id: string; share: number }[]; readonly temporary: { id: string; share: number }[] }> {
  const etcd = connectEtcd({ endpoints: file().etcd_endpoints, log: silentLogger });
  try {
    const key = `talaria/${NAMESPACE}/config/service/api.gateway/gateway.rules`;
    const [rules, temporary] = await Promise.all([etcd.get(key), etcd.get(`${key}~`)]);
    return { rules: JSON.parse(rules?.value.toString() ?? '[]'), temporary: JSON.parse(temporary?.value.toString() ?? '[]') };
  } finally {
    etcd.close();
  }
}
const sharesNow = async (): Promise<number[]> => (await stored()).temporary.map(({ share }) => share);

/** Logs both clients in and lets them call all the time. */
async function begin(): Promise<void> {
  if (tokens.length > 0) return;
  tokens = [await login(platform()), await login(platform(), 'dev2')];
  // Both clients call all the time.
  for (const client of [0, 1]) {
    void (async () => {
      while (!calling.signal.aborted) {
        await versionFor(client).catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
  }
}
after(() => calling.abort());

test('a version that nobody runs is refused, and one that is the only one', async () => {
  await begin();
  const nobody = canary('9.9.9', []);
  assert.equal(await nobody.ended, 1, nobody.output());
  assert.match(nobody.output(), /No instance of service\.account runs 9\.9\.9 \(there is 0\.1\.0\)/);
  const { version } = JSON.parse(readFileSync(join(ROOT, 'apps/account-service/package.json'), 'utf8')) as { version: string };
  const only = canary(version, []);
  assert.equal(await only.ended, 1);
  assert.match(only.output(), /there is no other version to compare it with/);
});

test('a version that fails three of ten calls goes back by itself', async () => {
  await begin();
  failing = 0.3;
  const command = canary('2.0.0', ['--every', '60s', '--wait', '5m']);
  await eventually(async () => (await sharesNow())[0] === 0, { limitMs: 60_000 });
  await start('2.0.0');
  assert.equal(await command.ended, 1, command.output());
  assert.match(command.output(), /service\.account 2\.0\.0 went back: \d+\.\d% of \d+ calls of service\.account failed, and 0\.0% of \d+ with other versions\./);
  assert.deepEqual(await stored(), { rules: [], temporary: [] });
  const history = await run(process.execPath, ['tools/cli/src/main.ts', 'config', 'history', 'api.gateway'], { env: { TALARIA_STATE_DIR: platform().stateDir, TALARIA_NAMESPACE: NAMESPACE } });
  assert.match(history, /because: canary of service\.account 2\.0\.0, back: \d+\.\d% of/);
});

test('it goes back when the command is killed, or stopped by Ctrl-C', async () => {
  await begin();
  await start('2.1.0');
  const killed = canary('2.1.0', ['--every', '10m', '--max-wait', '20m']);
  const inShare = bucketOf('canary:service.account@2.1.0', 'user_dev') < bucketOf('canary:service.account@2.1.0', 'user_dev2') ? 0 : 1;
  await eventually(async () => (await sharesNow())[0] === halfway('2.1.0') / 100, { limitMs: 60_000 });
  // Each time, and not every other time as without a rule.
  await eventually(async () => (await Promise.all(Array.from({ length: 8 }, () => versionFor(inShare)))).every((version) => version === '2.1.0'), { limitMs: 30_000 });
  await eventually(async () => (await Promise.all(Array.from({ length: 8 }, () => versionFor(1 - inShare)))).every((version) => version === undefined), { limitMs: 30_000 });
  process.kill(killed.pid, 'SIGKILL');
  await killed.ended;
  await eventually(async () => (await sharesNow()).length === 0, { limitMs: 60_000 });
  await eventually(async () => (await Promise.all(Array.from({ length: 8 }, () => versionFor(1 - inShare)))).includes('2.1.0'), { limitMs: 30_000 });

  const stopped = canary('2.1.0', ['--every', '10m', '--max-wait', '20m']);
  await eventually(async () => (await sharesNow()).length === 1, { limitMs: 60_000 });
  const second = canary('2.1.0', []);
  assert.equal(await second.ended, 1);
  assert.match(second.output(), /gateway\.rules has a temporary value, by .+canary of service\.account 2\.1\.0/);
  process.kill(stopped.pid, 'SIGINT');
  assert.equal(await stopped.ended, 130, stopped.output());
  assert.match(stopped.output(), /service\.account 2\.1\.0 went back: it was stopped \(SIGINT\)/);
  assert.deepEqual(await stored(), { rules: [], temporary: [] });
});

test('a version that is no worse reaches everybody, and stays', async () => {
  await begin();
  await start('2.2.0');
  const command = canary('2.2.0', ['--every', '2s', '--why', 'a release']);
  assert.equal(await command.ended, 0, command.output());
  assert.match(command.output(), /2\.2\.0: \d+ calls, 0\.0% failed, p99 .*; others: \d+ calls, 0\.0% failed/);
  assert.match(command.output(), /service\.account 2\.2\.0 goes to everybody from now on \(chg_/);
  const { rules, temporary } = await stored();
  assert.deepEqual([rules.map(({ id, share }) => [id, share]), temporary], [[['canary:service.account@2.2.0', 1]], []]);
  for (const client of [0, 1]) await eventually(async () => (await versionFor(client)) === '2.2.0' && (await versionFor(client)) === '2.2.0', { limitMs: 30_000 });
  const again = canary('2.2.0', []);
  assert.equal(await again.ended, 1);
  assert.match(again.output(), /goes to everybody already/);
});
