import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { HealthCheckResponse_ServingStatus as ServingStatus } from '@talaria/contracts/health/v1/health';
import { silentLogger, type Logger } from '@talaria/base';
import { createPlatform, eventually } from '@talaria/testing';
import { setting, z } from './authoring.ts';
import { WiringError } from './wiring-error.ts';
import { createService } from './service.ts';
import type { ServiceOptions } from './types.ts';

const handlers = { createAccount: async () => ({}), getAccount: async () => ({}), listAccounts: async () => ({}) };

const withEnv = (env: Record<string, string>, options: Partial<ServiceOptions> = {}) =>
  createService({ name: 'service.test', description: 'A test', ...options, platform: { env, log: silentLogger, ...options.platform } });

test('without ETCD_ENDPOINTS there is one sentence with the fix, from start and from the first call', async () => {
  const service = withEnv({});
  const client = service.client(AccountServiceDefinition);
  await assert.rejects(client.getAccount({ id: 'acc_1' }), /./);
  await assert.rejects(service.start(), /ETCD_ENDPOINTS is missing: run "npx nx serve <app>"/);
  await service.closed;
});

test('all settings that are wrong are reported at once, those of the service too', async () => {
  const service = withEnv({ ETCD_ENDPOINTS: 'http://127.0.0.1:1', LOG_LEVEL: 'loud', TALARIA_LISTEN: 'nowhere', TALARIA_LIMIT: 'many' });
  const settings = service.settings({ TALARIA_LIMIT: setting(z.coerce.number().default(3), { description: 'how many' }), TALARIA_OTHER: setting(z.string().default('fine'), { description: 'another' }) });
  assert.equal(settings.TALARIA_OTHER, 'fine');
  assert.throws(() => settings.TALARIA_LIMIT, /TALARIA_LIMIT/);
  await assert.rejects(service.start(), (error: Error) => ['LOG_LEVEL', 'TALARIA_LISTEN', 'TALARIA_LIMIT'].every((name) => error.message.includes(name)));
});

test('without a key the fix is named', async () => {
  await assert.rejects(withEnv({ ETCD_ENDPOINTS: 'http://127.0.0.1:1' }).start(), /TALARIA_SERVICE_KEY_FILE is missing.*npx nx serve/);
});

test('a key file that is none is named', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'talaria-'));
  const file = join(folder, 'key.jwk');
  await writeFile(file, 'no key');
  await assert.rejects(withEnv({ ETCD_ENDPOINTS: 'http://127.0.0.1:1', TALARIA_SERVICE_KEY_FILE: file }).start(), /TALARIA_SERVICE_KEY_FILE .*not JSON/);
  await rm(folder, { recursive: true });
});

test('a contract has one owner', async () => {
  const platform = await createPlatform();
  const owner = platform.service({ name: 'service.account' });
  owner.add(AccountServiceDefinition, handlers);
  await owner.start();
  const thief = platform.service({ name: 'service.thief' });
  thief.add(AccountServiceDefinition, handlers);
  await assert.rejects(thief.start(), /service\.account/);
  await thief.closed;
  assert.equal(owner.endpoints('account.v1.AccountService')?.length, 1);
  await platform.stop();
});

test('a contract that a running service may not announce is one sentence in its log and not served, until it may', async () => {
  const platform = await createPlatform();
  const { registry } = platform;
  const lines: [message: string, fields: unknown][] = [];
  const log: Logger = { ...silentLogger, error: (message, fields) => void lines.push([message, fields]), with: () => log };
  const CONTRACT = 'account.v1.AccountService';
  const other = { contract: 'bank.v1.BankService', service: 'service.bank', file: 'bank/v1/bank.proto', descriptorSet: Buffer.alloc(0) };
  await registry.publish({ ...other, routes: ['POST /accounts'] }).ready;
  const service = platform.service({ name: 'service.account', platform: { log } });
  await service.start();
  service.add(AccountServiceDefinition, handlers);
  await eventually(() => service.health.status(CONTRACT) === ServingStatus.NOT_SERVING);
  assert.equal(service.health.status(''), ServingStatus.SERVING);
  assert.deepEqual(lines, [
    [
      'POST /accounts of account.v1.AccountService (service.account) is taken by bank.v1.BankService (service.bank). Change the google.api.http annotation of one of them; if bank.v1.BankService does not have it any more, remove "POST /accounts" from the registry.',
      { contract: CONTRACT, code: 'conflict.route' },
    ],
  ]);
  assert.equal(registry.resolve(CONTRACT).endpoints?.length, 0);
  await service.remove(AccountServiceDefinition);
  await registry.publish({ ...other, routes: [] }).ready;
  service.add(AccountServiceDefinition, handlers);
  await eventually(() => registry.resolve(CONTRACT).endpoints?.length === 1);
  assert.equal(service.health.status(CONTRACT), ServingStatus.SERVING);
  assert.equal(lines.length, 1);
  await platform.stop();
});

test('a contract is added once, and with exactly its handlers', async () => {
  const platform = await createPlatform();
  const service = platform.service({ name: 'service.account' });
  const refused = (some: object): RegExp | Error => {
    try {
      service.add(AccountServiceDefinition, some as never);
    } catch (error) {
      return error as Error;
    }
    return /nothing/;
  };
  const { getAccount: _, ...two } = handlers;
  for (const [some, sentence] of [
    [two, 'The handlers of account.v1.AccountService lack getAccount: add it.'],
    [{}, 'The handlers of account.v1.AccountService lack createAccount, getAccount, listAccounts: add them.'],
    [{ ...two, getAcount: handlers.getAccount }, 'The handler getAcount belongs to no method of account.v1.AccountService: rename it to getAccount.'],
    [
      { ...handlers, closeAccounts: handlers.getAccount },
      'The handler closeAccounts belongs to no method of account.v1.AccountService: remove it, or add the method to the contract; it has createAccount, getAccount, listAccounts.',
    ],
  ] as const) {
    const error = refused(some);
    assert.ok(error instanceof WiringError);
    assert.equal(error.message, sentence);
  }
  service.add(AccountServiceDefinition, handlers);
  assert.throws(() => service.add(AccountServiceDefinition, handlers), { name: 'WiringError', message: 'The contract account.v1.AccountService is served already: add it once, or remove it first.' });
  await platform.stop();
  assert.throws(() => service.add(AccountServiceDefinition, handlers), { name: 'WiringError', message: /The service stops/ });
});

test('listening on every interface needs an address to advertise', async () => {
  const platform = await createPlatform();
  const service = platform.service({ name: 'service.account', platform: { listen: 'h2c://0.0.0.0:0' } });
  service.add(AccountServiceDefinition, handlers);
  await assert.rejects(service.start(), /TALARIA_ADVERTISE/);
  const advertising = platform.service({ name: 'service.account', platform: { listen: 'h2c://0.0.0.0:0', env: { TALARIA_ADVERTISE: '[::1]:4000', TALARIA_ZONE: 'b' } } });
  advertising.add(AccountServiceDefinition, handlers);
  await advertising.start();
  const [endpoint] = advertising.endpoints('account.v1.AccountService') ?? [];
  assert.equal(endpoint?.id, '[::1]:4000');
  assert.deepEqual(endpoint.addresses, ['h2c://[::1]:4000']);
  assert.equal(endpoint.zone, 'b');
  assert.equal(endpoint.instance, advertising.instance);
  await platform.stop();
});
