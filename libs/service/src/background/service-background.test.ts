import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { context as otel, trace } from '@opentelemetry/api';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { currentCall, timeRemaining } from '@talaria/context';
import { createPlatform, eventually, manualClock } from '@talaria/testing';
import type { Service } from '../types.ts';

const HOUR_MS = 3_600_000;
const handlers = { createAccount: async () => ({}), getAccount: async () => ({}), listAccounts: async () => ({ accounts: [] }) };

describe('the background of a service', () => {
  test('a schedule runs once across the instances of a service, on the clock of the platform, each run in a trace of its own', async () => {
    const clock = manualClock();
    const platform = await createPlatform({ clock });
    const runs: { by: string; at: number; trace: string | undefined; request: string | undefined; left: number | undefined; late: boolean }[] = [];
    const instance = (): Service => {
      const service = platform.service({ name: 'service.account' });
      const note = (signal: AbortSignal): void =>
        void runs.push({ by: service.instance, at: clock.monotonic(), trace: trace.getSpanContext(otel.active())?.traceId, request: currentCall().requestId, left: timeRemaining(), late: signal.aborted });
      return service.every('1h', 'clean', note);
    };
    const [one, two, other] = [instance(), instance(), platform.service({ name: 'service.other' })];
    let others = 0;
    other.every('1h', 'clean', () => void others++);
    await platform.start();
    await clock.advance(2 * HOUR_MS);
    assert.deepEqual(runs.map(({ at }) => at), [0, HOUR_MS, 2 * HOUR_MS]);
    assert.equal(new Set(runs.map(({ by }) => by)).size, 1);
    assert.equal(new Set(runs.map((run) => run.trace)).size, 3);
    assert.ok(runs.every((run) => run.trace !== undefined && run.request !== undefined && run.left === HOUR_MS && !run.late));
    assert.equal(others, 3);
    const [first, second] = runs[0]?.by === one.instance ? [one, two] : [two, one];
    await first.stop();
    await clock.advance(HOUR_MS);
    assert.deepEqual(runs.slice(3).map(({ by, at }) => [by, at]), [[second.instance, 3 * HOUR_MS]]);
    await platform.stop();
  });

  test('a worker or schedule that fails shows in the health of the service, and takes no calls from it', async () => {
    const platform = await createPlatform();
    let broken = true;
    const service = platform.service({ name: 'service.account' }).add(AccountServiceDefinition, handlers);
    service.worker('relay', async (signal) => {
      if (broken) throw new Error('no broker');
      await new Promise<void>((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })));
    });
    await service.start();
    service.every(50, 'clean', () => {
      if (broken) throw new Error('disk full');
    });
    const failing = async (): Promise<string> => (await service.health.check()).flatMap((outcome) => (outcome.ok ? [] : [`${outcome.name}: ${outcome.error}`])).join('; ');
    await eventually(async () => /worker relay: failed .*no broker; schedule clean: failed .*disk full/.test(await failing()));
    assert.equal(service.health.status('account.v1.AccountService'), 1);
    broken = false;
    await eventually(async () => !(await failing()).includes('schedule clean'));
    await platform.stop();
  });

  test('calls of a worker end with it, and each schedule that is under way ends before its service does', async () => {
    const platform = await createPlatform();
    const events: string[] = [];
    const hanging = Promise.withResolvers<void>();
    platform.service({ name: 'service.account' }).add(AccountServiceDefinition, {
      ...handlers,
      listAccounts: async () => {
        hanging.resolve();
        await new Promise<void>((resolve) => currentCall().signal?.addEventListener('abort', () => resolve(), { once: true }));
        events.push('the handler was told');
        return { accounts: [] };
      },
    });
    const passport = await platform.passport({ id: 'user_1', scopes: ['accounts:read'] });
    const service = platform.service({ name: 'service.worker' });
    const accounts = service.client(AccountServiceDefinition);
    service.worker('caller', async () => {
      const { Metadata } = await import('@talaria/rpc');
      await accounts.listAccounts({}, { metadata: Metadata({ 'x-talaria-passport': passport }), timeoutMs: 60_000 });
    });
    service.every('1h', 'clean', async (signal) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      events.push('the schedule was told');
    });
    await platform.start();
    await hanging.promise;
    await service.stop();
    events.push('stopped');
    await eventually(() => events.length === 3);
    assert.deepEqual(events.sort(), ['stopped', 'the handler was told', 'the schedule was told'].sort());
    await platform.stop();
  });
});
