import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import { AccountServiceDefinition, type Account } from '@talaria/contracts/account/v1/account';
import { baggageKey, contextKey, currentCall, currentClock, timeRemaining } from '@talaria/context';
import { notFound } from '@talaria/errors';
import { type CallContext, type Metadata, type ServiceImplementation } from '@talaria/rpc';
import { call } from './call.ts';
import { manualClock } from './manual-clock.ts';

const { methods } = AccountServiceDefinition;
const turn = (): Promise<void> => new Promise(setImmediate);

describe('call: a handler with one response', () => {
  const handlers: ServiceImplementation<AccountServiceDefinition> = {
    createAccount: async ({ description }) => ({ account: { id: 'acc_1', description, created: new Date(currentClock().now()) } }),
    getAccount: async ({ id }) => {
      throw notFound('account', `There is no account ${id}.`);
    },
    listAccounts: async (request) => ({ accounts: [{ id: JSON.stringify(request) }] }),
  };

  test('runs on behalf of a principal, in the time of a clock', async () => {
    const clock = manualClock(Date.UTC(2026, 0, 1));
    const { account } = await call(handlers.createAccount, { description: 'x' }, { principal: 'user_1', clock });
    assert.deepEqual(account, { id: 'acc_1', description: 'x', created: new Date('2026-01-01T00:00:00Z') });
    const seen = await call(async () => ({ ...currentCall(), left: timeRemaining() }), {}, { principal: { id: 'user_1', scopes: ['a:read'] }, caller: 'api.gateway', clock, timeoutMs: 500, requestId: 'req_1' });
    const { signal: _, clock: own, ...rest } = seen;
    assert.equal(own, clock);
    assert.deepEqual(rest, {
      principal: { id: 'user_1', clientId: 'test', scopes: ['a:read'] },
      passport: undefined,
      caller: { service: 'api.gateway', edge: false },
      deadline: 500,
      left: 500,
      requestId: 'req_1',
    });
    assert.deepEqual(await call(async () => currentCall().principal ?? 'nobody', {}), 'nobody');
  });

  test('with its method, fills in what request and response leave out', async () => {
    const { accounts } = await call(handlers.listAccounts, { limit: 2 }, { method: methods.listAccounts });
    const account: Account | undefined = accounts[0];
    assert.deepEqual(JSON.parse(account?.id ?? ''), { limit: 2, since: '' });
    assert.equal(account?.description, '');
    // @ts-expect-error -- the method of another request
    await call(handlers.listAccounts, {}, { method: methods.getAccount });
    // @ts-expect-error -- without its method a request has to be whole
    await call(handlers.listAccounts, {});
  });

  test('throws what the handler throws, also at once', async () => {
    await assert.rejects(call(handlers.getAccount, { id: 'acc_9' }), { code: 'not_found.account', message: 'There is no account acc_9.' });
    const odd = new Error('a fault of the code');
    const thrown = await call((): Promise<never> => {
      throw odd;
    }, {}).catch((error: unknown) => error);
    assert.equal(thrown, odd);
  });

  test('its deadline passes when the clock is moved, whatever the handler does', async () => {
    const clock = manualClock();
    let signal: AbortSignal | undefined;
    const hanging = call(
      (_request: object, context: CallContext) => {
        ({ signal } = context);
        assert.equal(currentCall().signal, signal);
        return new Promise<never>(() => {});
      },
      {},
      { clock, timeoutMs: 1_000 },
    );
    const rejected = assert.rejects(hanging, { name: 'TimeoutError' });
    await clock.advance(999);
    assert.equal(signal?.aborted, false);
    await clock.advance(1);
    await rejected;
    assert.equal(signal?.aborted, true);
  });

  test('ends with its caller, and what it started ends with it', async () => {
    const caller = new AbortController();
    const hanging = call(() => new Promise<never>(() => {}), {}, { signal: caller.signal });
    caller.abort(new Error('hung up'));
    await assert.rejects(hanging, /hung up/);
    const signal = await call(async () => ({ of: currentCall().signal }), {});
    assert.equal(signal.of?.aborted, true);
  });

  test('headers in and out, baggage, and values that middleware would have set', async () => {
    const tenant = baggageKey('tenant');
    const shard = contextKey<number>('shard');
    let trailer: Metadata | undefined;
    let header: Metadata | undefined;
    const answer = await shard.run(7, () =>
      call(
        async (_request: object, context: CallContext) => {
          context.trailer.set('x-trail', 't');
          context.header.set('x-head', 'h');
          await turn();
          return { tenant: tenant.get(), shard: shard.get(), agent: context.metadata.get('user-agent') };
        },
        {},
        { baggage: { tenant: 'a' }, metadata: { 'user-agent': 'me' }, onTrailer: (got) => (trailer = got), onHeader: (got) => (header = got) },
      ),
    );
    assert.deepEqual(answer, { tenant: 'a', shard: 7, agent: 'me' });
    assert.deepEqual([header?.get('x-head'), trailer?.get('x-trail')], ['h', 't']);
    assert.equal(await call(async () => tenant.get(), {}), undefined);
  });
});

describe('call: a handler that streams', () => {
  async function* echo(requests: AsyncIterable<{ id: string }>): AsyncGenerator<{ id: string; who: string | undefined }> {
    for await (const { id } of requests) yield { id, who: currentCall().principal?.id };
  }
  const all = async <T>(source: AsyncIterable<T>): Promise<T[]> => {
    const got: T[] = [];
    for await (const one of source) got.push(one);
    return got;
  };

  test('takes an array for a stream of requests, and answers a stream', async () => {
    assert.deepEqual(await all(call(echo, [{ id: 'a' }, { id: 'b' }], { principal: 'user_1' })), [
      { id: 'a', who: 'user_1' },
      { id: 'b', who: 'user_1' },
    ]);
    const count = async (requests: AsyncIterable<object>): Promise<{ n: number }> => ({ n: (await all(requests)).length });
    assert.deepEqual(await call(count, [{}, {}, {}]), { n: 3 });
  });

  test('with a method, fills each message', async () => {
    async function* accounts(requests: AsyncIterable<{ limit: number; since: string }>): AsyncGenerator<object> {
      for await (const { limit, since } of requests) yield { accounts: [{ id: `${limit}${since}` }] };
    }
    const [first] = await all(call(accounts, [{ limit: 3 }], { method: { ...methods.listAccounts, requestStream: true, responseStream: true } }));
    assert.deepEqual(first?.accounts, [{ id: '3', description: '', created: undefined }]);
  });

  test('ends when its reader stops, its time is up, or its caller hangs up', async () => {
    const reasons: string[] = [];
    async function* ticks(): AsyncGenerator<number> {
      const { signal } = currentCall();
      signal?.addEventListener('abort', () => reasons.push((signal.reason as Error).name));
      for (let n = 0; ; n++) {
        yield n;
        await turn();
      }
    }
    for await (const n of call(ticks, {})) if (n === 2) break;
    assert.deepEqual(reasons, ['AbortError']);
    const clock = manualClock();
    const timed = all(call(ticks, {}, { clock, timeoutMs: 5 }));
    const rejected = assert.rejects(timed, { name: 'TimeoutError' });
    await clock.advance(5);
    await rejected;
    const caller = new AbortController();
    const hungUp = assert.rejects(all(call(ticks, {}, { signal: caller.signal })), /gone/);
    caller.abort(new Error('gone'));
    await hungUp;
  });

  test('leaves neither timer nor listener behind when nobody reads it, and is late all the same', async () => {
    let timers = 0;
    const clock = manualClock();
    const counting = {
      ...clock,
      after(...[ms, callback]: Parameters<typeof clock.after>) {
        timers++;
        const cancel = clock.after(ms, callback);
        return () => {
          timers--;
          cancel();
        };
      },
    };
    const { signal } = new AbortController();
    const listeners = (): number => getEventListeners(signal, 'abort').length;
    async function* two(): AsyncGenerator<number> {
      yield 1;
      yield 2;
    }
    const options = { clock: counting, timeoutMs: 8_000, signal };
    const unread = call(two, {}, options)[Symbol.asyncIterator]();
    assert.deepEqual([timers, listeners()], [0, 0]);
    await unread.return?.();
    for await (const _ of call(two, {}, options)) {
      assert.deepEqual([timers, listeners()], [1, 1]);
      break;
    }
    assert.deepEqual(await all(call(two, {}, options)), [1, 2]);
    assert.deepEqual([timers, listeners()], [0, 0]);
    const late = call(two, {}, options);
    await clock.advance(8_000);
    await assert.rejects(all(late), { name: 'TimeoutError' });
    assert.deepEqual([timers, listeners()], [0, 0]);
  });
});
