import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { silentLogger } from '@talaria/base';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { hasCode } from '@talaria/errors';
import { connectEtcd } from '@talaria/etcd';
import { createPlatform, eventually, type TestPlatform } from '@talaria/testing';
import { createService } from './service.ts';
import { startEtcd, type TestEtcd } from './testing/etcd.ts';
import type { Service } from './types.ts';

const handlers = { createAccount: async () => ({}), getAccount: async () => ({}), listAccounts: async () => ({ accounts: [] }) };

describe('with an etcd', { timeout: 60_000 }, () => {
  let etcd: TestEtcd;
  let platform: TestPlatform;

  before(async () => {
    etcd = await startEtcd();
    platform = await createPlatform();
  });
  after(async () => {
    await platform.stop();
    await etcd.stop();
  });

  const make = (name: string): Service =>
    createService({ name, description: 'A service of a test', platform: { env: { ETCD_ENDPOINTS: etcd.endpoints }, log: silentLogger, keys: platform.keys, key: platform.keys.of(name) } });

  test('services find each other, whichever comes first; a contract without instances is unavailable and still known', async () => {
    const caller = make('service.caller');
    const client = caller.client(AccountServiceDefinition);
    const [first, second] = [make('service.account'), make('service.account')];
    for (const service of [first, second]) service.add(AccountServiceDefinition, handlers);
    try {
      await assert.rejects(client.createAccount({ description: 'x' }), (error) => hasCode(error, 'unavailable.no_instances'));
      await Promise.all([first.start(), second.start()]);
      await eventually(() => caller.endpoints('account.v1.AccountService')?.length === 2);
      // Found and asked; who calls may not do this without a principal.
      await assert.rejects(client.createAccount({ description: 'x' }), (error) => hasCode(error, 'unauthorized.principal'));
      await caller.contracts.ready;
      const [contract] = caller.contracts.get();
      assert.equal(contract?.contract, 'account.v1.AccountService');
      assert.equal(contract.service, 'service.account');
      assert.equal(contract.file, 'account/v1/account.proto');
      await first.stop();
      await eventually(() => caller.endpoints('account.v1.AccountService')?.length === 1);
      await second.stop();
      await eventually(() => caller.endpoints('account.v1.AccountService')?.length === 0);
      assert.equal(caller.contracts.get().length, 1);
    } finally {
      await Promise.all([first.stop(), second.stop(), caller.stop()]);
    }
  });

  test('of the instances of a service one runs a schedule; when it stops another one takes over, and repeats nothing', async () => {
    const runs: string[] = [];
    const instance = (): Service => {
      const service = make('service.account');
      return service.every('1s', 'clean', () => void runs.push(service.instance));
    };
    const [first, second] = [instance(), instance()];
    const client = connectEtcd({ endpoints: etcd.endpoints, log: silentLogger });
    try {
      await first.start();
      await eventually(() => runs.length === 1);
      await second.start();
      assert.equal((await client.get('talaria/default/elections/service.account/clean'))?.value.toString(), first.instance);
      await eventually(() => runs.length === 3);
      assert.deepEqual(new Set(runs), new Set([first.instance]));
      await first.stop();
      const before = runs.length;
      await eventually(() => runs.length > before);
      assert.equal(runs.at(-1), second.instance);
      await second.stop();
      assert.equal(await client.get('talaria/default/elections/service.account/clean'), undefined);
    } finally {
      await Promise.all([first.stop(), second.stop()]);
      client.close();
    }
  });

  test('the log level changes while a service runs', async () => {
    const { NODE_TEST_CONTEXT: _marked, ...env } = process.env;
    const child = spawn(process.execPath, [join(import.meta.dirname, 'testing/program.ts'), 'chatty'], {
      env: { ...env, ETCD_ENDPOINTS: etcd.endpoints, LOG_FORMAT: 'json', LOG_LEVEL: 'info' },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
    await once(child, 'message');
    assert.doesNotMatch(output, /a word/);
    const client = connectEtcd({ endpoints: etcd.endpoints, log: silentLogger });
    await client.put('talaria/default/config/service/service.program/log.level', '"debug"');
    await eventually(() => output.includes('a word'));
    client.close();
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });
});
