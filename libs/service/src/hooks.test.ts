import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { silentLogger, type Capability, type Logger } from '@talaria/base';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { currentCall, runInCall } from '@talaria/context';
import { createPlatform } from '@talaria/testing';

const handlers = { createAccount: async () => ({}), getAccount: async () => ({}), listAccounts: async () => ({ accounts: [] }) };
const CONTRACT = 'account.v1.AccountService';
const storage = (events: string[]): Capability => ({ name: 'storage', checkers: [], start: async () => void events.push('storage'), stop: async () => void events.push('storage stopped') });
const hanging = (): Promise<void> => new Promise(() => {});

function recorder(): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  const note = (message: string): void => void lines.push(message);
  const log: Logger = { ...silentLogger, warn: note, error: note, with: () => log };
  return { log, lines };
}

describe('hooks', () => {
  test('run in their order, at their time, outside of the call that happens to start the service', async () => {
    const platform = await createPlatform();
    const events: string[] = [];
    const service = platform.service({ name: 'service.account', storage: storage(events) }).add(AccountServiceDefinition, handlers);
    const served = (): string => `${platform.registry.resolve(CONTRACT).endpoints?.length ?? 0} served`;
    service
      .onReady(() => void events.push(`ready: ${served()}`))
      .onStart(async () => {
        await new Promise(setImmediate);
        events.push(`start: ${served()}, ${currentCall().requestId ?? 'no call'}`);
      })
      .onStart(() => void events.push('start too'))
      .onStop(() => void events.push(`leave: ${served()}`), { phase: 'leave' })
      .onStop(() => void events.push('release'), { phase: 'release' });
    await runInCall({ requestId: 'req_1' }, () => service.start());
    events.push('started');
    await service.stop();
    assert.deepEqual(events, ['storage', 'start: 0 served, no call', 'start too', 'ready: 1 served', 'started', 'leave: 0 served', 'storage stopped', 'release']);
    await platform.stop();
  });

  test('a hook that fails with no error at all is named', async () => {
    const platform = await createPlatform();
    const service = platform.service({ name: 'service.account' }).onStart(function fillCaches() {
      return Promise.reject(undefined as unknown as Error);
    });
    await assert.rejects(service.start(), { name: 'WiringError', message: 'The onStart hook "fillCaches" failed with undefined: throw an Error that says what is wrong.' });
    await platform.stop();
  });

  for (const turn of ['onStart', 'onReady'] as const) {
    test(`an ${turn} hook that takes too long fails the start in one sentence, is told, and what was started is stopped`, async () => {
      const platform = await createPlatform();
      const events: string[] = [];
      let told: unknown;
      const service = platform.service({ name: 'service.account', storage: storage(events) }).add(AccountServiceDefinition, handlers);
      service[turn](
        function fillCaches(signal) {
          signal.addEventListener('abort', () => (told = signal.reason));
          return hanging();
        },
        { limitMs: 30 },
      );
      const message = `The ${turn} hook "fillCaches" took longer than 30 ms: do less in it, or give it more with { limitMs }.`;
      await assert.rejects(service.start(), { name: 'WiringError', message });
      assert.equal((told as Error).message, message);
      assert.equal(await service.closed, 'it could not start');
      assert.deepEqual(events, ['storage', 'storage stopped']);
      assert.equal(platform.registry.resolve(CONTRACT).endpoints?.length, 0);
      await platform.stop();
    });

    test(`what an ${turn} hook throws fails the start as it is`, async () => {
      const platform = await createPlatform();
      const service = platform.service({ name: 'service.account' });
      const failure = new Error('no cache');
      service[turn](() => Promise.reject(failure));
      await assert.rejects(service.start(), failure);
      await assert.rejects(service.ready, failure);
      await platform.stop();
    });
  }

  test('one that comes too late is refused', async () => {
    const platform = await createPlatform();
    const service = platform.service({ name: 'service.account' });
    await service.start();
    assert.throws(() => service.onStart(function warmUp() {}), { name: 'WiringError', message: 'It is too late for an onStart hook "warmUp": add it before start() or run().' });
    assert.throws(() => service.onReady(() => {}), { name: 'WiringError', message: 'It is too late for an onReady hook: add it before start() or run().' });
    await platform.stop();
  });

  test('a start that hangs in a hook can be stopped', async () => {
    const platform = await createPlatform();
    const entered = Promise.withResolvers<void>();
    const service = platform.service({ name: 'service.account' }).onStart(() => {
      entered.resolve();
      return hanging();
    });
    const starting = assert.rejects(service.start(), /The service stops: the test wants it/);
    await entered.promise;
    await service.stop('the test wants it');
    await starting;
    await platform.stop();
  });

  test('stop hooks that hang or throw cost a line each, and the stop goes on', async () => {
    const { log, lines } = recorder();
    const platform = await createPlatform({ log });
    const events: string[] = [];
    let told = false;
    const service = platform.service({ name: 'service.account', storage: storage(events) });
    service
      .onStop(
        function flushCaches(signal) {
          signal.addEventListener('abort', () => (told = true));
          return hanging();
        },
        { limitMs: 20 },
      )
      .onStop(
        () => {
          throw new Error('broken');
        },
        { phase: 'leave' },
      )
      .onStop(() => void events.push('release'), { phase: 'release' });
    await service.start();
    await service.stop();
    assert.deepEqual(events, ['storage', 'storage stopped', 'release']);
    assert.ok(told);
    const ofHooks = lines.filter((line) => line.includes('hook'));
    assert.deepEqual(ofHooks, ['the onStop hook failed', 'the onStop hook "flushCaches" took longer than 20 ms, going on without it']);
    await platform.stop();
  });
});
