import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { silentLogger as log } from '@talaria/base';
import { connectEtcd, readCredentials, type Etcd } from '@talaria/etcd';
import { eventually, startRealPlatform } from '@talaria/testing';
import type { Platform } from './harness.ts';
import { ROOT, run } from './run.ts';

const CLI = join(ROOT, 'tools/cli/src/main.ts');
/** An etcd of its own: others must not be locked out of theirs. */
const OWN_ETCD = { ETCD_ENDPOINTS: '', ETCD_USERNAME: '', ETCD_PASSWORD: '', TALARIA_NAMESPACE: '' };
const AT = 'talaria/default/';

describe('a platform whose etcd is secured while it runs', { concurrency: false }, () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'talaria-secured-'));
  const opened: Etcd[] = [];
  let platform: Platform | undefined;

  const start = async (): Promise<void> => {
    platform = await startRealPlatform({ app: 'account-service', env: { ...OWN_ETCD, TALARIA_STATE_DIR: stateDir } });
  };
  const stop = async (): Promise<void> => {
    const running = platform;
    platform = undefined;
    await running?.stop();
  };
  const talaria = (...args: string[]): Promise<string> => run(process.execPath, [CLI, ...args], { env: { ...OWN_ETCD, TALARIA_STATE_DIR: stateDir } });
  const openAccount = async (): Promise<string> => (JSON.parse(await talaria('call', 'account.v1.AccountService/CreateAccount', '{"description":"Peter Pan"}')) as { account: { id: string } }).account.id;
  const registered = async (): Promise<boolean> => {
    const services = JSON.parse(await talaria('services', '--json')) as { contract: string; instances: unknown[] }[];
    return services.some(({ contract, instances }) => contract === 'account.v1.AccountService' && instances.length > 0);
  };
  const etcdAs = (name?: string): Etcd => {
    const { etcd_endpoints: endpoints } = JSON.parse(readFileSync(join(stateDir, 'platform.json'), 'utf8')) as { etcd_endpoints: string };
    const etcd = connectEtcd({ endpoints, log, requestTimeoutMs: 20_000, ...(name === undefined ? {} : { credentials: () => readCredentials(join(stateDir, 'keys/etcd', `${name}.json`)) }) });
    opened.push(etcd);
    return etcd;
  };

  before(start);
  after(async () => {
    for (const etcd of opened) etcd.close();
    await stop();
    rmSync(stateDir, { recursive: true, force: true, maxRetries: 5 });
  });

  it('goes on without a restart', async () => {
    await openAccount();
    assert.match(await talaria('etcd', 'status'), /authentication {2}off/);
    const said = await talaria('etcd', 'secure');
    assert.match(said, /turn authentication on\n/);
    assert.match(said, /there is nothing to set/);
    assert.match(await talaria('etcd', 'status'), /authentication {2}on\nuser {12}operator/);
    await openAccount();
    // An instance that is put again is put by the service's own user.
    await etcdAs('root').delete(`${AT}contracts/account.v1.AccountService`);
    const root = etcdAs('root');
    for (const { key } of (await root.list(`${AT}services/account.v1.AccountService/`)).entries) await root.delete(key);
    await eventually(async () => (await root.list(`${AT}services/account.v1.AccountService/`)).entries.length > 0 && (await root.get(`${AT}contracts/account.v1.AccountService`)) !== undefined, { limitMs: 60_000 });
    await eventually(registered, { limitMs: 60_000 });
    await openAccount();
  });

  it('lets operators set, services register what is their own, and nobody anything', async () => {
    await talaria('config', 'set', 'service.account', 'log.level', 'debug', '--why', 'an operator may');
    assert.match(await talaria('config', 'get', 'service.account', 'log.level'), /debug/);
    const account = etcdAs('service.account');
    await account.list(`${AT}services/`);
    await assert.rejects(account.put(`${AT}contracts/auth.v1.AuthService`, '{"service":"service.account"}'), /permission denied/);
    await assert.rejects(account.put(`${AT}services/auth.v1.AuthService/127.0.0.1:1`, '{}'), /permission denied/);
    await assert.rejects(account.put(`${AT}config/service/service.account/log.level`, '"error"'), /permission denied/);
    await assert.rejects(etcdAs('operator').put(`${AT}services/auth.v1.AuthService/127.0.0.1:1`, '{}'), /permission denied/);
    await assert.rejects(etcdAs().list(`${AT}services/`), /ETCD_USERNAME/);
    await assert.rejects(etcdAs().put(`${AT}config/global/log.level`, '"error"'), /ETCD_USERNAME/);
  });

  it('goes on after a restart, and securing it again changes nothing', async () => {
    await stop();
    await start();
    await eventually(registered, { limitMs: 60_000 });
    await openAccount();
    assert.match(await talaria('config', 'get', 'service.account', 'log.level'), /debug/);
    await talaria('config', 'unset', 'service.account', 'log.level', '--why', 'after the restart');
    assert.match(await talaria('etcd', 'secure'), /nothing was changed/);
  });
});
