import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { silentLogger } from '@talaria/base';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { TransactionServiceDefinition } from '@talaria/contracts/transaction/v1/transaction';
import { hasCode } from '@talaria/errors';
import { createPlatform } from '@talaria/testing';
import { createService } from './service.ts';
import { pingDefinition } from './testing/cycles.ts';

const handlers = { createAccount: async () => ({}), getAccount: async () => ({}), listAccounts: async () => ({ accounts: [] }) };
const transactions = { recordTransaction: async () => ({}), getTransaction: async () => ({}), listTransactions: async () => ({ transactions: [] }) };
const AcountDefinition = { listAccounts: { ...pingMethod(), path: '/acount.v1.AccountService/ListAccounts' } } as const;

function pingMethod() {
  return { requestStream: false, responseStream: false, requestSerialize: () => Buffer.alloc(0), requestDeserialize: () => ({}), responseSerialize: () => Buffer.alloc(0), responseDeserialize: () => ({}), options: {} } as const;
}

const messageOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => assert.fail('the call succeeded'),
    (error: unknown) => {
      assert.ok(hasCode(error, 'unavailable.no_instances'), String(error));
      return (error as Error).message;
    },
  );

describe('calls of a contract that nobody serves', () => {
  test('name those that are served, and the most similar one', async () => {
    const platform = await createPlatform();
    const client = platform.client(AcountDefinition as never as typeof AccountServiceDefinition);
    assert.equal(await messageOf(client.listAccounts({})), 'No instance serves acount.v1.AccountService, nor any other contract: start the service that does.');
    const service = platform.service({ name: 'service.account' }).add(AccountServiceDefinition, handlers).add(TransactionServiceDefinition, transactions);
    await service.start();
    const other = platform.client(AcountDefinition as never as typeof AccountServiceDefinition, { caller: 'service.other' });
    assert.equal(
      await messageOf(other.listAccounts({})),
      'No instance serves acount.v1.AccountService: start the service that does, or call account.v1.AccountService if that was meant; served now are account.v1.AccountService, transaction.v1.TransactionService.',
    );
    const ping = platform.client(pingDefinition('Ping'), { caller: 'service.other' }) as unknown as { ping(request: object): Promise<unknown> };
    assert.equal(await messageOf(ping.ping({})), 'No instance serves cycles.v1.Ping: start the service that does; served now are account.v1.AccountService, transaction.v1.TransactionService.');
    await service.stop();
    const known = platform.client(AccountServiceDefinition, { caller: 'service.third' });
    assert.equal(await messageOf(known.listAccounts({})), 'No instance serves account.v1.AccountService now: start its service, or wait until it is ready.');
    await platform.stop();
  });

  test('say no more than that to customers of an edge, and when the registry cannot be asked', async () => {
    const platform = await createPlatform();
    await platform.service({ name: 'service.transaction' }).add(TransactionServiceDefinition, transactions).start();
    const edge = platform.client(AccountServiceDefinition, { caller: 'api.gateway', edge: true });
    assert.equal(await messageOf(edge.listAccounts({})), 'No instance serves account.v1.AccountService');
    const away = Object.assign(Object.create(platform.registry) as typeof platform.registry, { services: () => Promise.reject(new Error('away')) });
    const lonely = platform.service({ name: 'service.lonely', platform: { registry: away } });
    assert.equal(await messageOf(lonely.client(AccountServiceDefinition).listAccounts({})), 'No instance serves account.v1.AccountService');
    await platform.stop();
  });
});

describe('starting and stopping more than once', () => {
  test('a second start settles as the first, and so does ready', async () => {
    const platform = await createPlatform();
    let starts = 0;
    const service = platform.service({ name: 'service.account' }).onStart(() => void starts++);
    await Promise.all([service.start(), service.start(), service.ready]);
    await service.start();
    assert.equal(starts, 1);
    await platform.stop();
  });

  test('closed tells the first reason; a service that was stopped does not start', async () => {
    const platform = await createPlatform();
    const service = platform.service({ name: 'service.account' });
    await service.start();
    await Promise.all([service.stop('it is late'), service.stop('another')]);
    assert.equal(await service.closed, 'it is late');
    const never = platform.service({ name: 'service.never' });
    await never.stop();
    assert.equal(await never.closed, 'it was asked to');
    await assert.rejects(never.ready, { name: 'WiringError', message: 'The service was stopped before it was started.' });
    await assert.rejects(never.start(), { name: 'WiringError', message: 'The service was stopped: make a new one with createService().' });
    await platform.stop();
  });

  test('a second run() is refused, and the first one goes on', async () => {
    const { NODE_TEST_CONTEXT: _marked, ETCD_ENDPOINTS: _etcd, ...inherited } = process.env;
    const child = spawn(process.execPath, [join(import.meta.dirname, 'testing/program.ts'), 'twice'], { env: { ...inherited, LOG_FORMAT: 'json' }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
    const exited = once(child, 'exit');
    await Promise.race([once(child, 'message'), exited]);
    child.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null], output);
    assert.match(output, /run\(\) was called already: call it once, as the last thing in main\./);
    assert.match(output, /"msg":"ready"/);
  });
});

test('a port that is taken is named, with what to do', async () => {
  const platform = await createPlatform({ listen: 'h2c' });
  const one = platform.service({ name: 'service.one' });
  await one.start();
  const other = platform.service({ name: 'service.other', platform: { listen: one.address } });
  const address = one.address ?? '';
  await assert.rejects(other.start(), {
    name: 'WiringError',
    message: `${address} is taken by another program: stop it, or choose another port (0 takes a free one); the address is that of TALARIA_LISTEN.`,
  });
  await platform.stop();
});

test('a schedule or worker with a name that is taken, or an interval that is none, is refused when it is added', () => {
  const service = createService({ name: 'service.test', description: 'A test', platform: { env: {}, log: silentLogger } });
  service.worker('relay', () => {}).every('1h', 'clean', () => {});
  assert.throws(() => service.worker('clean', () => {}), { name: 'WiringError', message: 'There is a worker, a leader or a schedule "clean" already: give this worker another name.' });
  assert.throws(() => service.every('1h', 'relay', () => {}), { name: 'WiringError', message: 'There is a worker, a leader or a schedule "relay" already: give this schedule another name.' });
  assert.throws(() => service.every('1 hour' as never, 'other', () => {}), { name: 'WiringError', message: /"1 hour" is no interval/ });
});
