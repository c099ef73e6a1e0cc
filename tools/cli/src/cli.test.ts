import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { connectPlatform } from '@talaria/service';
import { MAIN, runCli, served, type Served } from './testing/served.ts';

describe('talaria', { concurrency: 3 }, () => {
  let it_: Served;
  before(async () => (it_ = await served()));
  after(() => it_.stop());

  const talaria = (args: readonly string[], env: Readonly<Record<string, string>> = {}, input = '') => runCli(args, { TALARIA_STATE_DIR: it_.stateDir, ...env }, input);

  it('is a program that ends by itself', async () => {
    const { ETCD_ENDPOINTS: _a, TALARIA_SERVICE_KEY_FILE: _b, ...inherited } = process.env;
    const env = { ...inherited, TALARIA_STATE_DIR: it_.stateDir };
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, 'call', 'auth.v1.AuthService/WhoAmI'], { env, timeout: 120_000 });
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
    assert.equal(out, '{"id":"acc_1","description":""}\n{"id":"acc_2","description":""}\n', err);
  });

  it('takes requests from an argument and from standard input', async () => {
    const stream = (input: string, ...args: string[]) => talaria(['call', 'streams.v1.StreamService/Count', '--compact', '--no-as', ...args], {}, input);
    const counted = (ids: string): string => `{"id":"${ids}","description":""}\n`;
    assert.equal((await stream('', '[{"id":"1"},{"id":"2"}]')).out, counted('1,2'));
    assert.equal((await stream('', '{"id":"1"}{"id":"2"}')).out, counted('1,2'));
    assert.equal((await stream('{"id":"1"}\n{\n"id":\n"2"} [{"id":"3"}]', '-')).out, counted('1,2,3'));
    assert.equal((await stream('{"id":"1"}')).out, counted('1'));
    const unary = (input: string, ...args: string[]) => talaria(['call', 'account.v1.AccountService/GetAccount', ...args], {}, input);
    assert.match((await unary('{"id":"acc_1"}')).out, /"id": "acc_1"/);
    assert.match((await unary('{"id":"acc_1"}\n', '-')).out, /"id": "acc_1"/);
    assert.match((await unary('{\n  "id": 1\n}')).err, /line 2, column 9: id takes a string, not 1/);
    assert.match((await unary('{\n  "id" 1\n}', '-')).err, /is not JSON \(line 2, column 8: ":" is expected after the property name "id", and there is "1"\)\.\n$/);
  });

  it('sends metadata', async () => {
    const { out, err } = await talaria(['call', 'account.v1.AccountService/GetAccount', '{"id":"acc_1"}', '-H', 'X-Echo: one: 1', '-H', `x-echo-bin: ${Buffer.from('three').toString('base64')}`]);
    assert.match(out, /"description": "one: 1;three"/, err);
  });

  it('describes contracts and methods, with a request that is valid', async () => {
    const all = await talaria(['describe']);
    assert.match(all.out, /^account\.v1\.AccountService, of service\.test\n[^]*\nstreams\.v1\.StreamService, of service\.test\n {2}Streams of every kind\.\n/, all.err);
    const { out } = await talaria(['describe', 'streams.v1.StreamService']);
    assert.match(out, /\n {2}ListAll {2}account\.v1\.GetAccountRequest → stream of account\.v1\.Account\n {4}Two accounts\.\n/);
    assert.match(out, /\n {2}Chat {2}stream of account\.v1\.GetAccountRequest ↔ stream of account\.v1\.Account\n/);
    const method = await talaria(['describe', 'account.v1.AccountService/ListAccounts']);
    assert.match(method.out, /\naccount\.v1\.ListAccountsResponse\n {2}accounts: repeated account\.v1\.Account/);
    assert.match(method.out, /\naccount\.v1\.Account\n {2}id: string/);
    assert.match(method.out, /\ntalaria call account\.v1\.AccountService\/ListAccounts '\{.*\}'\n$/);
    const example = await talaria(['call', 'account.v1.AccountService/ListAccounts', '--example']);
    const used = await talaria(['call', 'account.v1.AccountService/ListAccounts', example.out]);
    assert.equal(used.code, 0, used.err);
  });

  it('shows its version, and help with examples for every command', async () => {
    assert.match((await talaria(['--version'])).out, /^\d+\.\d+\.\d+\S*\n$/);
    const { out, code } = await talaria(['--help']);
    assert.equal(code, 0);
    const commands = [...out.matchAll(/^ {2}(\w+) .*[A-Z].*\.$/gm)].map(([, name = '']) => name);
    assert.ok(commands.includes('call') && commands.includes('new') && !commands.includes('complete'), out);
    for (const name of commands) {
      const help = await talaria([name, '--help']);
      assert.equal(help.code, 0);
      assert.match(help.out, /\nExamples?:[^]*talaria /, name);
    }
  });

  it('loads gRPC for no command that needs none', async () => {
    const hook = `data:text/javascript,import{registerHooks}from'node:module';registerHooks({resolve(s,c,n){const r=n(s,c);process.stderr.write(r.url+'\\n');return r}})`;
    for (const args of [['--help'], ['call', '--help'], ['completion', 'bash'], ['complete', '--', ''], ['listen', '--help'], ['config', '--help'], ['config', 'set', '--help'], ['complete', '--', 'config', '']]) {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--import', hook, MAIN, ...args], { timeout: 120_000 });
      assert.notEqual(stdout, '');
      assert.match(stderr, /cli\/src\/run\.ts/);
      assert.doesNotMatch(stderr, /grpc|protobuf|libs\//, args.join(' '));
    }
  });

  it('says what failed, and what to do next', async () => {
    const get = 'account.v1.AccountService/GetAccount';
    const trace = 'trace id [0-9a-f]{32}';
    const cases: readonly (readonly [args: readonly string[], code: number, says: RegExp])[] = [
      [['call', get, '{"id":"acc_2"}'], 1, new RegExp(`^not_found\\.account: There is no such account\\.\\n {2}id = acc_2\\n {2}status NOT_FOUND, not retryable, ${trace}\\n$`)],
      [['call', get, '{}'], 1, /^bad_request[^]*\n {2}id: [^]*talaria describe/],
      [['call', get, '{"id":1}'], 2, /no account\.v1\.GetAccountRequest: line 1, column 7: id takes a string, not 1\. Its fields: id\.\n$/],
      [['call', get, '{"idd":"1"}'], 2, /has no field "idd"\. Did you mean "id"\? Its fields: id\.\n$/],
      [['call', get, '{'], 2, /is not JSON \(line 1, column 2: .*single quotes/],
      [['call', get, '{"id":"acc_1"} {"id":"acc_1"}'], 2, /takes one request, and a second one begins at line 1, column 16/],
      [['call', 'account.v1.AccountService/Get'], 1, /has no method "Get"\. Did you mean "GetAccount"\? It has: CreateAccount, GetAccount, ListAccounts\.\n$/],
      [['call', 'account.v1.Account/Get'], 1, /no contract "account\.v1\.Account"\. Did you mean "account\.v1\.AccountService"\? Published: account\.v1\.AccountService, auth\.v1\.AuthService, /],
      [['call', 'AccountService/GetAccount'], 1, /Did you mean "account\.v1\.AccountService"\?/],
      [['describe', 'account.v1.AcountService'], 1, /Did you mean "account\.v1\.AccountService"\?/],
      [['call', 'account.v1.AccountService'], 2, /names no method: write <contract>\/<Method>.*"talaria describe account\.v1\.AccountService" lists/],
      [['call', get, '{"id":"acc_1"}', '--no-as'], 1, /^unauthorized\.principal: [^]*--no-as/],
      [['call', get, '--as', 'nobody'], 1, /^unauthorized\.invalid_client: [^]*dev clients/],
      [['call', 'account.v1.AccountService/CreateAccount', '{"description":"x"}'], 1, /^forbidden\.scope: [^]*status PERMISSION_DENIED[^]*\nThe client "dev" lacks the scope accounts:write: .*--as <client>/],
      [['call', 'webhook.v1.WebhookService/GetWebhook', '{"id":"webhook_1"}'], 1, /^unavailable\.no_instances: [^]* retryable, [^]*Nobody serves webhook\.v1\.WebhookService now; served now: account\.v1\.AccountService \(service\.test\), auth\.v1\.AuthService \(service\.auth\).*npx nx serve/],
      [['call', 'streams.v1.StreamService/Chat', '{"id":"bye"}', '--no-as'], 1, new RegExp(`^precondition_failed\\.bye: They said goodbye\\.\\n {2}status FAILED_PRECONDITION, not retryable, ${trace}\\n$`)],
      [['call', 'streams.v1.StreamService/Count', '{"id":"1"} {"id":2}', '--no-as'], 2, /no account\.v1\.GetAccountRequest: line 1, column 18: id takes a string, not 2\./],
      [['call', get, '{}', '--timeout', 'soon'], 2, /--timeout soon is no time/],
      [['call', get, '{}', '-H', 'grpc-timeout: 1S'], 2, /use --timeout/],
      [['call', get, '{}', '-H', 'x'], 2, /has no colon/],
      [['cal'], 2, /unknown command 'cal'[^]*Did you mean call/],
      [['call', get, '--exampel'], 2, /unknown option '--exampel'[^]*Did you mean --example/],
      [['completion', 'tcsh'], 2, /one of bash, zsh, fish/],
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
      assert.match(err, /^unavailable\.platform: Nothing is served from .*npx nx serve <app>/);
    }
    rmSync(empty, { recursive: true });
    for (const args of [['services'], ['describe'], ['call', 'a.v1.A/B']]) {
      const away = await talaria(args, { ETCD_ENDPOINTS: 'http://127.0.0.1:1' });
      assert.equal(away.code, 1);
      assert.match(away.err, /^talaria: etcd at http:\/\/127\.0\.0\.1:1 cannot be asked .* is ETCD_ENDPOINTS right\?\n$/);
    }
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
        ['webhook.v1.WebhookService', 'service.webhook', 0],
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
    const child = spawn(process.execPath, [MAIN, 'listen', '0', '--json'], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 });
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
    const npx = spawn('/bin/sh', ['-c', '"$0" "$@" & wait', process.execPath, MAIN, 'listen', '0'], { env: { ...process.env, npm_command: 'exec' }, stdio: ['ignore', 'ignore', 'pipe'], timeout: 120_000 });
    await once(createInterface(npx.stderr), 'line');
    npx.kill('SIGKILL');
    // Closed by its last holder, which is the command.
    await once(npx, 'close', { signal: AbortSignal.timeout(60_000) });
  });
});
