import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { generateServiceKey, staticKeys } from '@talaria/auth';
import { Account, AccountServiceDefinition, GetAccountRequest } from '@talaria/contracts/account/v1/account';
import { AuthServiceDefinition } from '@talaria/contracts/auth/v1/auth';
import { TransactionServiceDefinition } from '@talaria/contracts/transaction/v1/transaction';
import { startEtcd, type EtcdServer } from '@talaria/etcd-server';
import { connectPlatform, currentCall, notFound, principal, unauthorized, type Service } from '@talaria/service';
import { createPlatform, type TestPlatform } from '@talaria/testing';
import { run } from './run.ts';
import { styleFor, type Terminal } from './terminal.ts';

const MAIN = join(import.meta.dirname, 'main.ts');

/** A contract with a method that answers with a stream, which no contract in proto/ has. */
function streamDefinition() {
  const set = fromBinary(FileDescriptorSetSchema, Buffer.from(AccountServiceDefinition.descriptor.set, 'base64'));
  const method = { name: 'ListAll', inputType: '.account.v1.GetAccountRequest', outputType: '.account.v1.Account', serverStreaming: true };
  const file = 'streams/v1/streams.proto';
  set.file.push(create(FileDescriptorProtoSchema, { name: file, package: 'streams.v1', syntax: 'proto3', dependency: ['account/v1/account.proto'], service: [{ name: 'StreamService', method: [method] }] }));
  return {
    name: 'StreamService',
    fullName: 'streams.v1.StreamService',
    methods: { listAll: { name: 'ListAll', requestType: GetAccountRequest, requestStream: false, responseType: Account, responseStream: true, options: {} } },
    descriptor: { file, set: Buffer.from(toBinary(FileDescriptorSetSchema, set)).toString('base64') },
  } as const;
}

/** A platform over sockets and a real registry, as the CLI finds it under `serve`: etcd, an auth-service, one more service. */
async function served(): Promise<{ readonly stateDir: string; readonly etcd: EtcdServer; readonly service: Service; stop(): Promise<void> }> {
  const etcd = await startEtcd();
  const platform: TestPlatform = await createPlatform({ listen: 'h2c', env: { ETCD_ENDPOINTS: etcd.address } });
  const stateDir = mkdtempSync(join(tmpdir(), 'talaria-cli-'));
  const cli = await generateServiceKey('talaria.cli');
  const cliKeys = await staticKeys({ keys: [cli.publicJwk] });
  const keys = {
    find: async (kid: string) => (await cliKeys.find(kid)) ?? platform.keys.find(kid),
    keys: () => [...cliKeys.keys(), ...platform.keys.keys()],
  };
  const make = (name: string): Service => platform.service({ name, version: '1.2.3', platform: { keys, registry: undefined, resolver: undefined } });

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
  const service = make('service.test')
    .add(AccountServiceDefinition, {
      createAccount: () => Promise.reject(new Error('not used')),
      getAccount: ({ id }) => {
        if (id !== 'acc_1') throw notFound('account', 'There is no such account.', { params: { id } });
        return Promise.resolve({ account: { id, description: 'Peter \u009bPan', created: new Date(0) } });
      },
      listAccounts: () => Promise.resolve({ accounts: [] }),
    })
    .add(TransactionServiceDefinition, {
      recordTransaction: ({ accountId, amount = 0n, currency, description, dedupeId }) => Promise.resolve({ transaction: { id: 'tx_1', accountId, amount, currency, description, dedupeId, created: new Date(0) } }),
      getTransaction: () => Promise.reject(new Error('not used')),
      listTransactions: () => Promise.reject(new Error('not used')),
    })
    .add(streamDefinition(), {
      async *listAll({ id }) {
        for (const each of ['1', '2']) yield await Promise.resolve({ id: `${id}${each}`, description: '', created: undefined });
      },
    });
  await platform.start();
  const keyFile = join(stateDir, 'talaria.cli.jwk');
  writeFileSync(keyFile, JSON.stringify(cli.privateJwk));
  writeFileSync(join(stateDir, 'platform.json'), JSON.stringify({ pid: process.pid, app: 'test', apps: [], etcd_endpoints: etcd.address, service_keys_file: '', cli_key_file: keyFile }));
  return {
    stateDir,
    etcd,
    service,
    async stop() {
      await platform.stop();
      await etcd.stop();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

describe('talaria', { concurrency: 3 }, () => {
  let it_: Awaited<ReturnType<typeof served>>;
  before(async () => (it_ = await served()));
  after(() => it_.stop());

  /** Runs a command in this process. */
  const talaria = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<{ code: number | null; out: string; err: string }> => {
    let [out, err] = ['', ''];
    const style = styleFor({}, {});
    const terminal: Terminal = { out: (text) => (out += text), err: (text) => (err += text), style, errStyle: style };
    const code = await run(args, { terminal, env: { TALARIA_STATE_DIR: it_.stateDir, ...env }, signal: new AbortController().signal });
    return { code, out, err };
  };

  it('is a program that ends by itself', async () => {
    const { ETCD_ENDPOINTS: _a, TALARIA_SERVICE_KEY_FILE: _b, ...inherited } = process.env;
    const env = { ...inherited, TALARIA_STATE_DIR: it_.stateDir };
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, 'call', 'auth.v1.AuthService/WhoAmI'], { env, timeout: 30_000 });
    assert.match(stdout, /"user_id": "user_dev"/);
    await assert.rejects(promisify(execFile)(process.execPath, [MAIN, 'call', 'auth.v1.AuthService'], { env }), { code: 2, stdout: '' });
  });

  it('calls a method as the dev client, unasked', async () => {
    const { code, out, err } = await talaria(['call', 'auth.v1.AuthService/WhoAmI']);
    assert.equal(err, '');
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(out), { authenticated: true, client_id: 'dev', user_id: 'user_dev', scopes: ['accounts:read', 'transactions:write'], caller: 'talaria.cli' });
  });

  it('prints proto JSON, and obeys no control character in it', async () => {
    const { out, code } = await talaria(['call', 'account.v1.AccountService/GetAccount', '{"id":"acc_1"}']);
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(out), { account: { id: 'acc_1', description: 'Peter \u009bPan', created: '1970-01-01T00:00:00Z' } });
    assert.ok(!out.includes('\u009b'));
  });

  it('rounds no amount, and prints the numbers that the contract wants as numbers', async () => {
    const call = (amount: string) => talaria(['call', 'transaction.v1.TransactionService/RecordTransaction', `{"account_id":"acc_1","amount":${amount},"currency":"GBP","description":"Coffee","dedupe_id":"1"}`]);
    const small = await call('-520');
    assert.match(small.out, /"amount": -520,/, small.err);
    const great = await call('9007199254740993');
    assert.ok(great.code === 0 ? great.out.includes('"amount": "9007199254740993"') : great.err.includes('amount'), great.out + great.err);
  });

  it('prints each message of a stream', async () => {
    const { out, err } = await talaria(['call', 'streams.v1.StreamService/ListAll', '{"id":"acc_"}', '--no-as']);
    assert.deepEqual([...out.matchAll(/"id": "(\w+)"/g)].map(([, id]) => id), ['acc_1', 'acc_2'], err);
  });

  it('says what failed, and what to do next', async () => {
    const cases: readonly (readonly [args: readonly string[], code: number, says: RegExp])[] = [
      [['call', 'account.v1.AccountService/GetAccount', '{"id":"acc_2"}'], 1, /^not_found\.account: There is no such account\.\n {2}id = acc_2\n$/],
      [['call', 'account.v1.AccountService/GetAccount', '{}'], 1, /^bad_request[^]*\n {2}id: /],
      [['call', 'account.v1.AccountService/GetAccount', '{"id":1}'], 2, /no account\.v1\.GetAccountRequest: .*id.* Its fields: id\.\n$/],
      [['call', 'account.v1.AccountService/GetAccount', '{'], 2, /is not JSON .*single quotes/],
      [['call', 'account.v1.AccountService/Get'], 1, /has no method "Get"\. It has: CreateAccount, GetAccount, ListAccounts\.\n$/],
      [['call', 'account.v1.Account/Get'], 1, /no contract "account\.v1\.Account"\. Published: account\.v1\.AccountService, auth\.v1\.AuthService, /],
      [['call', 'account.v1.AccountService'], 2, /names no method: write <contract>\/<Method>/],
      [['call', 'account.v1.AccountService/GetAccount', '{"id":"acc_1"}', '--no-as'], 1, /^unauthorized\.principal: [^]*--no-as/],
      [['call', 'account.v1.AccountService/GetAccount', '--as', 'nobody'], 1, /^unauthorized\.invalid_client: [^]*dev clients/],
      [['cal'], 2, /unknown command 'cal'/],
      [['listen', 'x'], 2, /no port: give a number/],
    ];
    for (const [args, code, says] of cases) {
      const result = await talaria(args);
      assert.match(result.err, says, args.join(' '));
      assert.equal(result.code, code, `${args.join(' ')}: ${result.err}`);
      assert.equal(result.out, '');
    }
  });

  it('says that nothing is served, and that etcd is away', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'talaria-cli-'));
    for (const args of [['services'], ['call', 'a.v1.A/B']]) {
      const { code, err } = await talaria(args, { TALARIA_STATE_DIR: empty });
      assert.equal(code, 1);
      assert.match(err, /^unavailable\.platform: Nothing is served from .*npx nx serve webhook-api/);
    }
    rmSync(empty, { recursive: true });
    const away = await talaria(['services'], { ETCD_ENDPOINTS: 'http://127.0.0.1:1' });
    assert.equal(away.code, 1);
    assert.match(away.err, /^talaria: etcd at http:\/\/127\.0\.0\.1:1 cannot be asked .* is ETCD_ENDPOINTS right\?\n$/);
  });

  it('lists who serves what', async () => {
    const { out } = await talaria(['services']);
    const row = out.split('\n').find((line) => line.startsWith('account.v1.AccountService'));
    assert.match(row ?? out, /^account\.v1\.AccountService +service\.test +127\.0\.0\.1:\d+ +1\.2\.3 +\d{4}-\d\d-\d\dT/);
    const json = JSON.parse((await talaria(['services', '--json'])).out) as { contract: string; service: string; instances: { address: string }[] }[];
    assert.deepEqual(
      json.map(({ contract, service, instances }) => [contract, service, instances.length]).filter(([contract]) => contract !== 'grpc.health.v1.Health'),
      [
        ['account.v1.AccountService', 'service.test', 1],
        ['auth.v1.AuthService', 'service.auth', 1],
        ['streams.v1.StreamService', 'service.test', 1],
        ['transaction.v1.TransactionService', 'service.test', 1],
      ],
    );
  });

  it('prints the metadata that other clients need', async () => {
    assert.match((await talaria(['token', '--as', 'dev'])).out, /^x-talaria-caller: [\w.-]+\nx-talaria-passport: [\w.-]+\n$/);
    assert.deepEqual(Object.keys(JSON.parse((await talaria(['token', '--as', 'dev', '--json'])).out) as object), ['x-talaria-caller', 'x-talaria-passport']);
  });

  it('lets scripts connect the same way', async () => {
    const platform = await connectPlatform({ as: 'dev', stateDir: it_.stateDir, env: {} });
    const { account } = await platform.client(AccountServiceDefinition).getAccount({ id: 'acc_1' });
    assert.equal(account?.id, 'acc_1');
    await platform.close();
  });

  it('prints webhooks as they come, until it is interrupted', async () => {
    const child = spawn(process.execPath, [MAIN, 'listen', '0', '--json'], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 30_000 });
    const [line] = (await once(createInterface(child.stderr), 'line')) as [string];
    const url = /http:\/\/localhost:\d+/.exec(line)?.[0] ?? '';
    const printed = once(createInterface(child.stdout), 'line') as Promise<[string]>;
    assert.equal((await fetch(url, { method: 'POST', headers: { 'webhook-id': 'msg_1' }, body: '{"type":"a.b"}' })).status, 200);
    assert.deepEqual(JSON.parse((await printed)[0]), { id: 'msg_1', type: 'a.b', body: { type: 'a.b' }, signature: 'unchecked' });
    child.kill('SIGINT');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });

  it('ends when npx, which passes no signals on, is killed', async () => {
    // A shell in the place of npx.
    const npx = spawn('/bin/sh', ['-c', '"$0" "$@" & wait', process.execPath, MAIN, 'listen', '0'], { env: { ...process.env, npm_command: 'exec' }, stdio: ['ignore', 'ignore', 'pipe'], timeout: 30_000 });
    await once(createInterface(npx.stderr), 'line');
    npx.kill('SIGKILL');
    // Closed by its last holder, which is the command.
    await once(npx, 'close', { signal: AbortSignal.timeout(20_000) });
  });
});
