import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateServiceKey, staticKeys } from '@talaria/auth';
import { type Account, AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { AuthServiceDefinition } from '@talaria/contracts/auth/v1/auth';
import { TransactionServiceDefinition } from '@talaria/contracts/transaction/v1/transaction';
import { WebhookServiceDefinition } from '@talaria/contracts/webhook/v1/webhook';
import { duration, setting } from '@talaria/config';
import { etcdRegistry } from '@talaria/discovery';
import { connectEtcd } from '@talaria/etcd';
import { silentLogger } from '@talaria/base';
import { startEtcd } from '@talaria/etcd-server';
import { currentCall, notFound, preconditionFailed, principal, unauthorized, type Service, type ServiceOptions } from '@talaria/service';
import { createPlatform, type TestPlatform } from '@talaria/testing';
import { z } from 'zod';
import { run } from '../run.ts';
import { styleFor, type Terminal } from '../terminal.ts';
import { streamDefinition } from './stream-definition.ts';

/** The program itself. */
export const MAIN = join(import.meta.dirname, '../main.ts');

/** A platform that the CLI finds. */
export interface Served {
  readonly stateDir: string;
  /** The ids of the `Watch` calls that are under way. */
  readonly watching: readonly string[];
  /** The `dedupe_id`s of all `RecordTransaction` calls, in order. */
  readonly recorded: readonly string[];
  readonly etcd: string;
  /** What service.test goes by now: `test.delays`, `test.password` and `test.workers`. */
  setting(name: string): unknown;
  /** One more service on it; not started yet. */
  service(options: Pick<ServiceOptions, 'name' | 'version' | 'checkers'>): Service;
  stop(): Promise<void>;
}

const account = (id: string, description = ''): Account => ({ id, description, created: undefined });

/** What no JSON Schema can say. */
const isRising = (delays: readonly number[]): boolean => delays.every((delay, at) => at === 0 || delay > (delays[at - 1] ?? 0));

/** A platform over sockets and a real registry, as the CLI finds it under `serve`: etcd, an auth-service, one more service. */
export async function served(): Promise<Served> {
  const watching: string[] = [];
  const recorded: string[] = [];
  const etcd = await startEtcd();
  const configKeys = `k1:${randomBytes(32).toString('base64')}`;
  const platform: TestPlatform = await createPlatform({ listen: 'h2c', env: { ETCD_ENDPOINTS: etcd.address, TALARIA_CONFIG_KEYS: configKeys } });
  const stateDir = mkdtempSync(join(tmpdir(), 'talaria-cli-'));
  const configKeysFile = join(stateDir, 'config.keys');
  const cli = await generateServiceKey('talaria.cli');
  const cliKeys = await staticKeys({ keys: [cli.publicJwk] });
  const keys = {
    find: async (kid: string) => (await cliKeys.find(kid)) ?? platform.keys.find(kid),
    keys: () => [...cliKeys.keys(), ...platform.keys.keys()],
  };
  const service: Served['service'] = (options) => platform.service({ ...options, platform: { keys, registry: undefined, resolver: undefined, config: undefined, elections: undefined } });
  const make = (name: string): Service => service({ name, version: '1.2.3' });

  make('service.auth').add(AuthServiceDefinition, {
    issueToken: ({ clientId, clientSecret }) => {
      if (clientId !== 'dev' || clientSecret !== 'dev-secret') throw unauthorized('invalid_client', 'There is no such client.');
      return Promise.resolve({ accessToken: 'outer', tokenType: 'Bearer', expiresIn: 60, scope: '' });
    },
    exchangeToken: async () => ({ passport: await platform.passport({ id: 'user_dev', clientId: 'dev', scopes: ['accounts:read', 'transactions:write'] }), expiresIn: 240 }),
    getKeys: () => Promise.resolve({ jwks: '{"keys":[]}' }),
    whoAmI: () => {
      const { id, clientId, scopes } = principal();
      return Promise.resolve({ authenticated: true, clientId, userId: id, scopes: [...scopes], caller: currentCall().caller?.service ?? '' });
    },
  });
  const test = make('service.test');
  const settings = test.config({
    'test.delays': setting(z.array(duration()).min(1).refine(isRising, 'each has to be longer than the one before').default([1000]), { description: 'when it tries again', unit: 'ms' }),
    'test.password': setting(z.string().min(8).default('password'), { description: 'for nothing', secret: true }),
    'test.workers': setting(z.int().min(1).default(1), { description: 'how many work', live: false }),
  });
  test
    .add(AccountServiceDefinition, {
      createAccount: () => Promise.reject(new Error('not used')),
      getAccount: ({ id }, { metadata }) => {
        if (metadata.has('x-echo')) return Promise.resolve({ account: account(id, [...metadata.getAll('x-echo'), String(metadata.get('x-echo-bin') ?? '')].join(';')) });
        if (id !== 'acc_1') throw notFound('account', 'There is no such account.', { params: { id } });
        return Promise.resolve({ account: { id, description: 'Peter \u009bPan', created: new Date(0) } });
      },
      listAccounts: () => Promise.resolve({ accounts: [] }),
    })
    .add(TransactionServiceDefinition, {
      recordTransaction: ({ accountId, amount = 0n, currency, description, dedupeId }) => {
        recorded.push(dedupeId);
        return Promise.resolve({ transaction: { id: 'tx_1', accountId, amount, currency, description, dedupeId, created: new Date(0) } });
      },
      getTransaction: () => Promise.reject(new Error('not used')),
      listTransactions: () => Promise.reject(new Error('not used')),
    })
    .add(streamDefinition(), {
      async *listAll({ id }) {
        for (const each of ['1', '2']) yield await Promise.resolve(account(`${id}${each}`));
      },
      async *watch({ id }, { signal }) {
        watching.push(id);
        signal.addEventListener('abort', () => watching.splice(watching.indexOf(id), 1));
        for (let count = 1; !signal.aborted; count++) {
          yield account(id, String(count));
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
      },
      async count(requests) {
        const ids: string[] = [];
        for await (const { id } of requests) ids.push(id);
        return account(ids.join(','));
      },
      async *chat(requests) {
        for await (const { id } of requests) {
          if (id === 'bye') throw preconditionFailed('bye', 'They said goodbye.');
          yield account(id);
        }
      },
    });
  await platform.start();
  // Published once, by somebody who is gone.
  const etcdClient = connectEtcd({ endpoints: etcd.address, log: silentLogger });
  const { file, set } = WebhookServiceDefinition.descriptor;
  await etcdRegistry({ etcd: etcdClient, log: silentLogger }).publish({ contract: WebhookServiceDefinition.fullName, service: 'service.webhook', file, descriptorSet: Buffer.from(set, 'base64'), routes: [] }).ready;
  etcdClient.close();
  writeFileSync(configKeysFile, `${configKeys}\n`);
  const keyFile = join(stateDir, 'talaria.cli.jwk');
  writeFileSync(keyFile, JSON.stringify(cli.privateJwk));
  writeFileSync(join(stateDir, 'platform.json'), JSON.stringify({ pid: process.pid, app: 'test', apps: [], etcd_endpoints: etcd.address, service_keys_file: '', cli_key_file: keyFile, config_keys_file: configKeysFile }));
  return {
    stateDir,
    watching,
    recorded,
    etcd: etcd.address,
    service,
    setting: (name) => settings[name as keyof typeof settings].get(),
    async stop() {
      await platform.stop();
      await etcd.stop();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

/** Runs a command in this process, with nothing on standard input, and with what it writes. */
export async function runCli(args: readonly string[], env: Readonly<Record<string, string>>, input = ''): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const style = styleFor({}, {});
  const terminal: Terminal = { out: (text) => (out += text), err: (text) => (err += text), style, errStyle: style };
  const text = async function* () {
    yield await Promise.resolve(input);
  };
  const code = await run(args, { terminal, input: { kind: input === '' ? 'other' : 'pipe', text, close: () => {} }, env, signal: new AbortController().signal });
  return { code, out, err };
}
