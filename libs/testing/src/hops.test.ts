import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { context as otel, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { baggageKey, contextKey, currentCall, currentClock, fanOut, fanOutFirst, fanOutSettled, timeRemaining } from '@talaria/context';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { WebhookServiceDefinition } from '@talaria/contracts/webhook/v1/webhook';
import { notFound, unavailable } from '@talaria/errors';
import { Metadata, type CallLimits, type Client, type ServiceImplementation } from '@talaria/rpc';
import { eventually } from './eventually.ts';
import { manualClock } from './manual-clock.ts';
import { createPlatform, type TestPlatform, type TestPlatformOptions } from './platform.ts';

type Front = (accounts: Client<AccountServiceDefinition, CallLimits>, id: string) => Promise<object>;
type Back = ServiceImplementation<AccountServiceDefinition>['getAccount'];

/** The front service calls the back one: two hops from here. `look` calls the front one. */
async function twoHops(t: { after(fn: () => Promise<void>): void }, options: TestPlatformOptions, front: Front, back: Back): Promise<{ readonly platform: TestPlatform; look(id?: string, options?: CallLimits & { readonly metadata?: Metadata }): Promise<unknown> }> {
  const platform = await createPlatform(options);
  t.after(() => platform.stop());
  const behind = platform.service({ name: 'service.account' });
  behind.add(AccountServiceDefinition, { getAccount: back, createAccount: async () => ({}), listAccounts: async () => ({}) });
  const before = platform.service({ name: 'service.webhook' });
  const accounts = before.client(AccountServiceDefinition);
  const none = async (): Promise<object> => ({});
  before.add(WebhookServiceDefinition, { getWebhook: ({ id }) => front(accounts, id), createWebhook: none, listWebhooks: none, deleteWebhook: none });
  await platform.start();
  const client = platform.client(WebhookServiceDefinition, { as: { id: 'user_1', scopes: ['accounts:read'] } });
  return { platform, look: (id = 'webhook_1', limits = {}) => client.getWebhook({ id }, limits) };
}

/** Hangs until its call is over. */
const untilAborted = (seen: string[], id: string): Promise<never> =>
  new Promise((_, reject) => {
    const { signal } = currentCall();
    seen.push(`${id} began`);
    signal?.addEventListener('abort', () => {
      seen.push(`${id} ended`);
      reject(signal.reason as Error);
    });
  });

for (const listen of ['inproc', 'h2c'] as const) {
  describe(`two hops, over ${listen}`, () => {
    const tenant = baggageKey('tenant');
    const shard = contextKey<number>('shard');

    test('baggage travels, also what a service adds on its way; local values stay', async (t) => {
      const region = baggageKey('region');
      const seen: unknown[] = [];
      const look = (): void => void seen.push([tenant.get(), region.get(), shard.get()]);
      const { look: call } = await twoHops(
        t,
        { listen },
        (accounts, id) => {
          look();
          return shard.run(2, () => region.run('eü, 1', () => accounts.getAccount({ id })));
        },
        async () => {
          look();
          return {};
        },
      );
      await shard.run(1, () => tenant.run('acme "inc"; 100%', () => call()));
      await call();
      assert.deepEqual(seen, [
        ['acme "inc"; 100%', undefined, undefined],
        ['acme "inc"; 100%', 'eü, 1', undefined],
        [undefined, undefined, undefined],
        [undefined, 'eü, 1', undefined],
      ]);
    });

    test('baggage that is malformed, odd or too large costs itself and never the call', async (t) => {
      let seen: string[] = [];
      const { look } = await twoHops(
        t,
        { listen },
        (accounts, id) => accounts.getAccount({ id }),
        async () => {
          seen = propagation.getActiveBaggage()?.getAllEntries().map(([name]) => name) ?? [];
          return {};
        },
      );
      const after = async (baggage: string): Promise<string[]> => {
        seen = ['not called'];
        await look('webhook_1', { metadata: Metadata({ baggage }) });
        return seen;
      };
      assert.deepEqual(await after('a=1;property=2, ,=,x,b c=1,"=1,d=%ff'), ['a', 'd']);
      assert.deepEqual(await after(`huge=${'x'.repeat(9_000)},small=1`), ['small']);
      assert.equal((await after(Array.from({ length: 100 }, (_, n) => `k${n}=${n}`).join())).length, 64);
      // What code sets through OpenTelemetry's own API is not bounded where it is set.
      const odd = propagation.createBaggage({ 'ü b': { value: '\ud800' }, ok: { value: 'x\r\ny' }, huge: { value: 'y'.repeat(10_000) } });
      await otel.with(propagation.setBaggage(ROOT_CONTEXT, odd), () => look());
      assert.deepEqual(seen, ['%C3%BC%20b', 'ok']);
    });

    test('the first failure of a fan-out ends the other calls at once, in the service that they are in', async (t) => {
      const seen: string[] = [];
      const { look } = await twoHops(
        t,
        { listen },
        (accounts) => fanOut({ slow: () => accounts.getAccount({ id: 'slow' }), deaf: () => new Promise<never>(() => {}), missing: () => accounts.getAccount({ id: 'missing' }) }),
        async ({ id }) => {
          if (id === 'slow') return untilAborted(seen, id);
          await eventually(() => seen.length === 1);
          throw notFound('account', 'None.', { params: { id } });
        },
      );
      await assert.rejects(look(), { code: 'not_found.account', params: { id: 'missing' } });
      await eventually(() => seen.includes('slow ended'));
    });

    test('hanging up ends what a fan-out of two services has started', async (t) => {
      const seen: string[] = [];
      const { look } = await twoHops(
        t,
        { listen },
        async (accounts) => {
          await fanOutSettled(['a', 'b'].map((id) => () => accounts.getAccount({ id })));
          return {};
        },
        ({ id }) => untilAborted(seen, id),
      );
      const hangUp = new AbortController();
      const call = assert.rejects(look('webhook_1', { signal: hangUp.signal } as CallLimits), { code: 'cancelled.caller' });
      await eventually(() => seen.length === 2);
      hangUp.abort();
      await call;
      await eventually(() => seen.length === 4);
    });

    test('the first success ends the others', async (t) => {
      const seen: string[] = [];
      const { look } = await twoHops(
        t,
        { listen },
        (accounts) => fanOutFirst(['slow', 'quick'].map((id) => () => accounts.getAccount({ id }))),
        async ({ id }) => {
          if (id === 'slow') return untilAborted(seen, id);
          await eventually(() => seen.length === 1);
          return {};
        },
      );
      await look();
      await eventually(() => seen.includes('slow ended'));
    });

    test('a share of the deadline is what the next service has', async (t) => {
      let left: number | undefined;
      const { look } = await twoHops(
        t,
        { listen },
        async (accounts, id) => {
          await fanOut([() => accounts.getAccount({ id })], { share: 0.1 });
          return {};
        },
        async () => {
          left = timeRemaining();
          return {};
        },
      );
      await look('webhook_1', { timeoutMs: 60_000 });
      assert.ok(left !== undefined && left <= 6_000, String(left));
    });

    test('a set of errors is one error for the caller, which says nothing of faults', async (t) => {
      const failures: Record<string, Error> = { a: notFound('account', 'No a.'), b: unavailable('shelf', 'No shelf.'), secret: new Error('password=1') };
      const { look } = await twoHops(
        t,
        { listen },
        async (accounts, id) => {
          const { errors } = await fanOutSettled(Object.fromEntries([...id].map((one) => [one, () => accounts.getAccount({ id: one === 's' ? 'secret' : one })])));
          throw errors ?? new Error('none failed');
        },
        async ({ id }) => {
          throw failures[id] ?? new Error(`no ${id}`);
        },
      );
      await assert.rejects(look('ab'), { code: 'unavailable.shelf', message: 'No shelf. (and 1 more error)', retryable: false });
      await assert.rejects(look('aa'), { code: 'not_found.account' });
      await assert.rejects(look('as'), (error: Error & { code?: string }) => error.code === 'internal_service' && !/password/.test(error.message));
    });

    test('all in one trace, whose spans are told apart', async (t) => {
      const seen: (string | undefined)[] = [];
      const { look } = await twoHops(
        t,
        { listen },
        (accounts) => fanOut({ a: () => accounts.getAccount({ id: 'a' }), b: () => accounts.getAccount({ id: 'b' }) }),
        async () => {
          const span = trace.getSpanContext(otel.active());
          seen.push(span?.traceId, span?.spanId);
          return {};
        },
      );
      await look();
      assert.equal(seen[0], seen[2]);
      assert.notEqual(seen[1], seen[3]);
    });

    test('the clock of a platform moves the deadlines of all its services', async (t) => {
      const clock = manualClock();
      const seen: string[] = [];
      const clocks = new Set<unknown>();
      const { look } = await twoHops(
        t,
        { listen, clock },
        (accounts, id) => {
          clocks.add(currentClock());
          return accounts.getAccount({ id });
        },
        ({ id }) => {
          clocks.add(currentClock());
          return untilAborted(seen, id);
        },
      );
      const late = assert.rejects(look('x', { timeoutMs: 3_600_000 }), { code: 'timeout.deadline' });
      await eventually(() => seen.length === 1);
      await clock.advance(3_600_000);
      await late;
      await eventually(() => seen.length === 2);
      assert.deepEqual([...clocks], [clock]);
      // An hour later passports and tokens have expired: they are renewed by the same clock.
      const again = assert.rejects(look('y'), { code: 'timeout.deadline' });
      await eventually(() => seen.length === 3);
      await clock.advance(10_000);
      await again;
      // Time that passes while the call is still on its way counts too.
      const overtaken = assert.rejects(look('z'), { code: 'timeout.deadline' });
      await clock.advance(10_000);
      await overtaken;
    });
  });
}
