import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AccountServiceDefinition, type GetAccountResponse } from '@talaria/contracts/account/v1/account';
import { runInCall } from '@talaria/context';
import { cancelled, conflict, notFound, rateLimited, timeout, unavailable } from '@talaria/errors';
import { Metadata, type CallLimits, type Client, type ServiceDefinition } from '@talaria/rpc';
import { answer, degraded, staleAnswers, type Fallbacks } from './fallback.ts';
import { FALLBACK_KEY, withFallbacks, type WithFallbacksOptions } from './with-fallbacks.ts';

type Accounts = Client<AccountServiceDefinition, CallLimits>;

const GONE = unavailable('not_sent', 'No instance took the call');
const account = (id: string, description = 'mine'): GetAccountResponse => ({ account: { id, description, created: undefined } });
const as = <T>(id: string, fn: () => T, scopes: readonly string[] = []): T => runInCall({ principal: { id, clientId: 'app', scopes } }, fn);

/** A clock that is moved by hand. */
function handClock() {
  const at = { now: 0 };
  return { at, clock: { now: () => at.now, monotonic: () => at.now, after: () => () => {} } };
}

/** A client whose calls do what `next` does. */
function scene(fallbacks: Fallbacks<AccountServiceDefinition>, options: WithFallbacksOptions = {}) {
  const used: string[] = [];
  const next = { do: async (request: { id?: string }): Promise<unknown> => account(request.id ?? ''), trailer: Metadata({ 'x-own': 'yes' }) };
  let calls = 0;
  const call = async (request: { id?: string }, callOptions?: { onTrailer?: (trailer: Metadata) => void }): Promise<unknown> => {
    calls += 1;
    try {
      return await next.do(request);
    } finally {
      callOptions?.onTrailer?.(next.trailer);
    }
  };
  const inner = { getAccount: call, createAccount: call, listAccounts: call } as unknown as Accounts;
  const client = withFallbacks(AccountServiceDefinition, inner, fallbacks, { onUsed: ({ mark, code }) => used.push(`${mark} ${code}`), ...options });
  return {
    client,
    inner,
    next,
    used,
    gone(error: Error = GONE) {
      next.do = () => Promise.reject(error);
    },
    get calls() {
      return calls;
    },
  };
}

describe('a client with fallbacks', () => {
  it('answers with a value of its own, whole whatever was left out', async () => {
    const made = scene({ listAccounts: answer(() => ({ accounts: [{ id: 'acc_1' }] })) });
    made.gone();
    assert.deepEqual(await made.client.listAccounts({}), { accounts: [{ id: 'acc_1', description: '', created: undefined }] });
    assert.deepEqual(made.used, ['account.v1.AccountService/ListAccounts;kind=default unavailable.not_sent']);
    // The others are the client's own functions.
    assert.equal(made.client.getAccount, made.inner.getAccount);
    assert.notEqual(made.client.listAccounts, made.inner.listAccounts);
  });

  it('answers with what is found out in another way, knowing the request and the error; what that throws is thrown', async () => {
    const made = scene({
      getAccount: degraded(async ({ id }, error) => {
        if (id === 'none') throw notFound('account', 'There is none');
        return account(id ?? '', error.code);
      }),
    });
    made.gone();
    assert.equal((await made.client.getAccount({ id: 'acc_1' })).account?.description, 'unavailable.not_sent');
    await assert.rejects(made.client.getAccount({ id: 'none' }), { code: 'not_found.account' });
    assert.equal(made.used.length, 1);
  });

  it('is used where the dependency is gone, and for nothing that it says', async () => {
    const cases: [Error, boolean][] = [
      [unavailable('connection_lost', 'x'), true],
      [unavailable('circuit_open', 'x'), true],
      [timeout('deadline', 'x'), true],
      [rateLimited('overloaded', 'x', { retryAfterMs: 100 }), true],
      [rateLimited('message_too_large', 'x', { retryable: false }), false],
      [notFound('account', 'x'), false],
      [conflict('account', 'x'), false],
      [cancelled('caller', 'x'), false],
      [new TypeError('a bug'), false],
    ];
    for (const [error, expected] of cases) {
      const made = scene({ getAccount: answer(() => account('fallback')) });
      made.gone(error);
      if (expected) assert.equal((await made.client.getAccount({ id: 'a' })).account?.id, 'fallback', error.message);
      else await assert.rejects(made.client.getAccount({ id: 'a' }), error);
      assert.equal(made.used.length, expected ? 1 : 0);
    }
  });

  it('is not used when nobody waits for the answer any more', async () => {
    const made = scene({ getAccount: answer(() => account('fallback')) });
    made.gone(timeout('deadline', 'x'));
    await assert.rejects(made.client.getAccount({ id: 'a' }, { signal: AbortSignal.abort() }), { code: 'timeout.deadline' });
    await assert.rejects(
      runInCall({ signal: AbortSignal.abort() }, () => made.client.getAccount({ id: 'a' })),
      { code: 'timeout.deadline' },
    );
    assert.deepEqual(made.used, []);
  });

  it('shows a trailer once: the mark, or what came from afar', async () => {
    const made = scene({ getAccount: staleAnswers({ maxAgeMs: 1_000 }) });
    const seen: Metadata[] = [];
    const onTrailer = (trailer: Metadata): void => void seen.push(trailer);
    await made.client.getAccount({ id: 'a' }, { onTrailer });
    made.gone();
    await made.client.getAccount({ id: 'a' }, { onTrailer });
    await made.client.getAccount({ id: 'b' }, { onTrailer }).catch(() => {});
    assert.deepEqual(
      seen.map((each) => [each.get('x-own'), each.get(FALLBACK_KEY)]),
      [
        ['yes', undefined],
        [undefined, 'account.v1.AccountService/GetAccount;kind=stale'],
        ['yes', undefined],
      ],
    );
  });

  it('refuses fallbacks for methods that are not there or that stream', () => {
    const inner = { getAccount: async () => account('a') } as unknown as Accounts;
    assert.throws(() => withFallbacks(AccountServiceDefinition, inner, { getAcount: answer(() => 1) } as never), /no method getAcount .* name some of createAccount, getAccount/s);
    const text = { requestSerialize: () => Buffer.of(), requestDeserialize: () => '', responseSerialize: () => Buffer.of(), responseDeserialize: () => '', options: {} };
    const streams = { get: { ...text, path: '/a.A/Get', requestStream: false, responseStream: false }, watch: { ...text, path: '/a.A/Watch', requestStream: false, responseStream: true } } as const satisfies ServiceDefinition;
    assert.throws(() => withFallbacks(streams, { watch: () => {} } as never, { watch: answer(() => '') } as never), /watch streams/);
    // @ts-expect-error -- nor do the types let it through
    const wrong: Fallbacks<typeof streams> = { watch: answer(() => '') };
    assert.ok(wrong);
    // @ts-expect-error -- an answer of another shape
    const shape: Fallbacks<AccountServiceDefinition> = { getAccount: answer(() => ({ account: 'acc_1' })) };
    assert.ok(shape);
  });
});

describe('stale answers', () => {
  it('are the last good ones of the same request, and as they were: nobody can change them', async () => {
    const made = scene({ getAccount: staleAnswers({ maxAgeMs: 1_000 }) });
    const first = await made.client.getAccount({ id: 'a' });
    first.account!.description = 'changed by the caller';
    made.next.do = async () => account('a', 'newer');
    await made.client.getAccount({ id: 'b' });
    made.gone();
    assert.equal((await made.client.getAccount({ id: 'a' })).account?.description, 'mine');
    (await made.client.getAccount({ id: 'a' })).account!.description = 'changed';
    assert.equal((await made.client.getAccount({ id: 'a' })).account?.description, 'mine');
    assert.equal((await made.client.getAccount({ id: 'b' })).account?.description, 'newer');
    await assert.rejects(made.client.getAccount({ id: 'c' }), GONE);
  });

  it('are never those of another principal, or of the same one with other rights, unless they are shared', async () => {
    const made = scene({ getAccount: staleAnswers({ maxAgeMs: 1_000 }), listAccounts: staleAnswers({ maxAgeMs: 1_000, shared: true }) });
    await as('user_1', () => made.client.getAccount({ id: 'a' }), ['all']);
    await as('user_1', () => made.client.listAccounts({}));
    made.gone();
    await as('user_1', () => made.client.getAccount({ id: 'a' }), ['all']);
    await assert.rejects(as('user_2', () => made.client.getAccount({ id: 'a' }), ['all']), GONE);
    await assert.rejects(as('user_1', () => made.client.getAccount({ id: 'a' })), GONE);
    await assert.rejects(made.client.getAccount({ id: 'a' }), GONE);
    await as('user_2', () => made.client.listAccounts({}));
    await made.client.listAccounts({});
  });

  it('are no older than they may be', async () => {
    const { at, clock } = handClock();
    const made = scene({ getAccount: staleAnswers({ maxAgeMs: 1_000 }) }, { clock });
    await made.client.getAccount({ id: 'a' });
    made.gone();
    at.now = 1_000;
    await made.client.getAccount({ id: 'a' });
    at.now = 1_001;
    await assert.rejects(made.client.getAccount({ id: 'a' }), GONE);
  });

  it('are no more than they may be: the one not used for longest goes', async () => {
    const made = scene({ getAccount: staleAnswers({ maxAgeMs: 1_000, max: 2 }) });
    await made.client.getAccount({ id: 'a' });
    await made.client.getAccount({ id: 'b' });
    await made.client.getAccount({ id: 'a' });
    await made.client.getAccount({ id: 'c' });
    made.gone();
    await made.client.getAccount({ id: 'a' });
    await made.client.getAccount({ id: 'c' });
    await assert.rejects(made.client.getAccount({ id: 'b' }), GONE);
  });

  it('take no more bytes than they may', async () => {
    const made = scene({ getAccount: staleAnswers({ maxAgeMs: 1_000, maxBytes: 1_000 }) });
    made.next.do = async ({ id = '' }) => account(id, 'x'.repeat(id === 'huge' ? 2_000 : 400));
    for (const id of ['a', 'b', 'huge', 'c']) await made.client.getAccount({ id });
    made.gone();
    await assert.rejects(made.client.getAccount({ id: 'a' }), GONE);
    await assert.rejects(made.client.getAccount({ id: 'huge' }), GONE);
    await made.client.getAccount({ id: 'b' });
    await made.client.getAccount({ id: 'c' });
  });

  it('are forgotten when the dependency says that there is none any more, or none for this principal', async () => {
    for (const said of [notFound('account', 'gone'), conflict('account', 'busy')]) {
      const made = scene({ getAccount: staleAnswers({ maxAgeMs: 1_000 }) });
      await made.client.getAccount({ id: 'a' });
      made.gone(said);
      await assert.rejects(made.client.getAccount({ id: 'a' }), said);
      made.gone();
      if (said.code.startsWith('not_found')) await assert.rejects(made.client.getAccount({ id: 'a' }), GONE);
      else await made.client.getAccount({ id: 'a' });
    }
  });

  it('can be kept by a key of their own', async () => {
    const made = scene({ getAccount: staleAnswers({ maxAgeMs: 1_000, key: ({ id = '' }) => id.toLowerCase() }) });
    await made.client.getAccount({ id: 'A' });
    made.gone();
    assert.equal((await made.client.getAccount({ id: 'a' })).account?.id, 'A');
  });

  it('need a time and a size', () => {
    assert.throws(() => staleAnswers({ maxAgeMs: 0 }), /give a time above 0/);
    assert.throws(() => staleAnswers({ maxAgeMs: 1, max: 0 }), /give 1 or more/);
  });
});
