import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Capability } from '@talaria/base';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { currentCall } from '@talaria/context';
import { healthDefinition } from '@talaria/health';
import { createConnector, grpcTransport, staticResolver } from '@talaria/rpc';
import { balancedPicker } from '@talaria/resilience';
import { createPlatform, eventually } from '@talaria/testing';

const as = { id: 'user_1', scopes: ['accounts:read'] };
const refuse = (): never => {
  throw new Error('not part of this test');
};
const CONTRACT = 'account.v1.AccountService';

describe('stopping', () => {
  test('leaves the registry, and only then refuses calls; calls in flight end well', async () => {
    const platform = await createPlatform({ listen: 'h2c' });
    const events: string[] = [];
    const answer = Promise.withResolvers<void>();
    let arrived = false;
    const service = platform.service({ name: 'service.account' });
    service.add(AccountServiceDefinition, {
      createAccount: refuse,
      listAccounts: async () => ({ accounts: [] }),
      async getAccount() {
        arrived = true;
        await answer.promise;
        events.push('handler returned');
        return {};
      },
    });
    service.onStop(() => void events.push('release'), { phase: 'release' });
    service.onStop(() => void events.push('drain'));
    service.onStop(() => void events.push('leave'), { phase: 'leave' });
    await platform.start();
    const { address = '' } = service;
    const client = platform.client(AccountServiceDefinition, { as });
    const resolution = platform.registry.resolve(CONTRACT);
    // As a client that has not heard of the change yet: it goes by an address of its own.
    const late = createConnector({ resolver: staticResolver({ 'grpc.health.v1.Health': [address] }), transports: [grpcTransport()], picker: () => balancedPicker() });
    // Connected before, so that it need not do so in the pause.
    await late.client(healthDefinition).check({ service: '' });
    resolution.onChange((endpoints) => {
      if (endpoints.length > 0) return;
      events.push('left');
      late
        .client(healthDefinition)
        .check({ service: '' })
        .then(
          ({ status }) => events.push(`answered ${status}`),
          () => events.push('refused'),
        );
    });
    const inFlight = client.getAccount({ id: 'acc_1' });
    await eventually(() => arrived);
    const stopping = service.stop();
    await eventually(() => events.includes('drain'));
    answer.resolve();
    await inFlight;
    await stopping;
    // 2 is NOT_SERVING. The answer may be on its way when draining begins.
    assert.deepEqual(events.filter((event) => !event.startsWith('answered')), ['left', 'leave', 'drain', 'handler returned', 'release']);
    assert.ok(events.includes('answered 2'), events.join(', '));
    await late.close();
    await platform.stop();
  });

  test('is not held up by those who watch its health', async () => {
    const platform = await createPlatform({ listen: 'h2c' });
    const service = platform.service({ name: 'service.account' });
    await platform.start();
    const connector = createConnector({ resolver: staticResolver({ 'grpc.health.v1.Health': [service.address ?? ''] }), transports: [grpcTransport()], picker: () => balancedPicker() });
    const statuses: number[] = [];
    const watching = (async () => {
      for await (const { status } of connector.client(healthDefinition).watch({ service: '' }, { timeoutMs: 60_000 })) statuses.push(status);
    })();
    await eventually(() => statuses.length === 1);
    await service.stop();
    await watching;
    assert.deepEqual(statuses, [1, 2]);
    await connector.close();
    await platform.stop();
  });

  test('capabilities start in order and stop in reverse, around workers and calls', async () => {
    const events: string[] = [];
    const capability = (name: string): Capability => ({
      name,
      checkers: [],
      async start({ service }) {
        events.push(`start ${name} of ${service}`);
      },
      async stop() {
        events.push(`stop ${name}`);
      },
    });
    const platform = await createPlatform();
    const service = platform.service({ name: 'service.account', storage: capability('storage'), messaging: capability('messaging') });
    service.worker('ticker', async (signal) => {
      events.push('worker');
      assert.equal(currentCall().signal, signal);
      assert.equal(currentCall().deadline, undefined);
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      events.push('worker ended');
    });
    await platform.start();
    await platform.stop();
    assert.deepEqual(events, ['start storage of service.account', 'start messaging of service.account', 'worker', 'worker ended', 'stop messaging', 'stop storage']);
  });

  test('a service that waits for a peer can be stopped', async () => {
    const platform = await createPlatform();
    let waiting = false;
    const storage: Capability = {
      name: 'storage',
      checkers: [],
      start: (_host, signal) =>
        new Promise((_resolve, reject) => {
          waiting = true;
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        }),
      stop: async () => {},
    };
    const service = platform.service({ name: 'service.account', storage });
    const starting = assert.rejects(service.start(), /stops/);
    await eventually(() => waiting);
    await service.stop('the test wants it');
    await starting;
    await platform.stop();
  });

  test('a contract can be added to a running service, and removed from it', async () => {
    const platform = await createPlatform();
    const service = platform.service({ name: 'service.account' });
    await platform.start();
    const client = platform.client(AccountServiceDefinition, { as });
    service.add(AccountServiceDefinition, { createAccount: refuse, getAccount: refuse, listAccounts: async () => ({ accounts: [] }) });
    await client.listAccounts({});
    assert.deepEqual([...service.contracts.get()].map(({ contract }) => contract), [CONTRACT]);
    assert.equal(service.endpoints(CONTRACT)?.length, 1);
    await service.remove(AccountServiceDefinition);
    assert.equal(service.endpoints(CONTRACT)?.length, 0);
    await assert.rejects(client.listAccounts({}), /./);
    // What was published stays: a contract without instances is 503, not 404.
    assert.deepEqual([...service.contracts.get()].map(({ contract }) => contract), [CONTRACT]);
    await platform.stop();
  });
});
