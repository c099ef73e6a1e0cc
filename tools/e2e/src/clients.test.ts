import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { credentials, Client, Metadata } from '@grpc/grpc-js';
import { ServerReflectionDefinition, type ServerReflectionResponse } from '@talaria/contracts/grpc/reflection/v1/reflection';
import { HealthDefinition } from '@talaria/contracts/health/v1/health';
import { ask, login, openAccount, usePlatform } from './harness.ts';
import { lacking, ROOT, run } from './run.ts';

const platform = usePlatform();
const cli = (...args: string[]): Promise<string> => run('npx', ['talaria', ...args], { env: { TALARIA_STATE_DIR: platform().stateDir, TALARIA_NAMESPACE: `e2e-${process.pid}` } });

test('talaria call reaches a method by the name of its contract', async () => {
  const id = await openAccount(platform(), await login(platform()));
  const answer = JSON.parse(await cli('call', 'account.v1.AccountService/GetAccount', JSON.stringify({ id })));
  assert.equal(answer.account.id, id);
  await assert.rejects(cli('call', 'account.v1.AccountService/GetAccount', '{"id":"acc_none"}'), /not_found\.account/);
  await assert.rejects(cli('call', 'account.v1.AccountService/Nothing', '{}'), /GetAccount/);
});

test('talaria services names every contract', async () => {
  const printed = await cli('services');
  for (const contract of ['account.v1.AccountService', 'auth.v1.AuthService', 'transaction.v1.TransactionService', 'webhook.v1.WebhookService', 'webhook.api.v1.WebhookApiService']) {
    assert.ok(printed.includes(contract), printed);
  }
});

test('the ten-line script of the README calls typed', async () => {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  const script = /```ts no-run\n(\/\/ list-accounts\.ts\n[\s\S]*?)```/.exec(readme)?.[1];
  assert.ok(script, 'README.md has no list-accounts.ts');
  assert.ok(script.trim().split('\n').length <= 10, 'the script has more than ten lines');
  const id = await openAccount(platform(), await login(platform()));
  const printed = await run('node', ['--input-type=module-typescript', '--eval', script], { env: { TALARIA_STATE_DIR: platform().stateDir, TALARIA_NAMESPACE: `e2e-${process.pid}` } });
  assert.ok(printed.includes(id), printed);
});

/** The address and the metadata that a foreign client would be given. */
async function foreign(): Promise<{ address: string; metadata: Metadata; pairs: string[] }> {
  const services = await cli('services');
  const address = /127\.0\.0\.1:\d+/.exec(services.split('\n').find((line) => line.includes('account.v1.AccountService')) ?? services)?.[0];
  assert.ok(address, services);
  const metadata = new Metadata();
  const pairs: string[] = [];
  for (const line of (await cli('token', '--as', 'dev')).trim().split('\n')) {
    const [key, value] = line.split(': ') as [string, string];
    metadata.set(key, value);
    pairs.push(key, value);
  }
  return { address, metadata, pairs };
}

test('a plain gRPC client gets health, reflection and, with the printed metadata, answers', async () => {
  const { address, metadata } = await foreign();
  const client = new Client(address, credentials.createInsecure());
  const unary = (path: string, request: Uint8Array, sent: Metadata): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, (bytes: Buffer) => bytes, (bytes: Buffer) => bytes, Buffer.from(request), sent, { deadline: Date.now() + 30_000 }, (error, answer) => {
        if (error) reject(error);
        else resolve(answer as Buffer);
      });
    });
  try {
    const { check } = HealthDefinition.methods;
    const health = await unary('/grpc.health.v1.Health/Check', check.requestType.encode({ service: 'account.v1.AccountService' }).finish(), new Metadata());
    assert.equal(check.responseType.decode(health).status, 1);
    await unary('/account.v1.AccountService/ListAccounts', new Uint8Array(), metadata);
    await assert.rejects(unary('/account.v1.AccountService/ListAccounts', new Uint8Array(), new Metadata()), { code: 16 });
    const { requestType, responseType } = ServerReflectionDefinition.methods.serverReflectionInfo;
    for (const version of ['v1', 'v1alpha']) {
      const names = await new Promise<string[]>((resolve, reject) => {
        const stream = client.makeBidiStreamRequest(`/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`, (bytes: Buffer) => bytes, (bytes: Buffer) => bytes, new Metadata(), { deadline: Date.now() + 30_000 });
        stream.on('error', reject);
        stream.on('data', (bytes: Buffer) => {
          const response: ServerReflectionResponse = responseType.decode(bytes);
          const message = response.messageResponse;
          resolve(message?.$case === 'listServicesResponse' ? message.value.service.map(({ name }) => name) : []);
          stream.end();
        });
        stream.write(Buffer.from(requestType.encode(requestType.fromPartial({ messageRequest: { $case: 'listServices', value: '*' } })).finish()));
      });
      assert.ok(names.includes('account.v1.AccountService'), names.join());
    }
  } finally {
    client.close();
  }
});

test('a Go program finds account-service with the stock resolver of etcd', async (t) => {
  const reason = await lacking(['go']);
  if (reason) {
    t.skip(reason);
    return;
  }
  const { pairs } = await foreign();
  const { etcd_endpoints: endpoint } = JSON.parse(await readFile(join(platform().stateDir, 'platform.json'), 'utf8')) as { etcd_endpoints: string };
  const printed = await run('go', ['run', '.', endpoint, `e2e-${process.pid}`, ...pairs], { cwd: join(ROOT, 'tools/e2e/go'), limitMs: 600_000 });
  assert.match(printed, /^[0-9a-f]*\n$/);
  assert.equal((await ask(platform(), '/healthz')).status, 200);
});
