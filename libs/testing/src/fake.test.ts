import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { baggageKey, contextKey, currentCall, fanOut, runInCall } from '@talaria/context';
import { notFound } from '@talaria/errors';
import { type ServiceDefinition } from '@talaria/rpc';
import { eventually } from './eventually.ts';
import { fake } from './fake.ts';
import { manualClock } from './manual-clock.ts';

const json = {
  requestSerialize: (value: { n: number }) => Buffer.from(JSON.stringify(value)),
  requestDeserialize: (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()) as { n: number },
  responseSerialize: (value: { n: number }) => Buffer.from(JSON.stringify(value)),
  responseDeserialize: (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()) as { n: number },
  options: {},
};
const Streams = {
  sum: { ...json, path: '/test.Streams/Sum', requestStream: true, responseStream: false },
  count: { ...json, path: '/test.Streams/Count', requestStream: false, responseStream: true },
} as const satisfies ServiceDefinition;

async function* numbers(...all: number[]): AsyncGenerator<{ n: number }> {
  for (const n of all) yield { n };
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const got: T[] = [];
  for await (const one of source) got.push(one);
  return got;
}

test('answers as its handlers say, with messages as they are after the wire, and records what it got', async () => {
  const accounts = fake(AccountServiceDefinition, {
    getAccount: async ({ id }) => ({ account: { id } }),
    listAccounts: async ({ limit, since }) => ({ accounts: [{ id: `${limit}${since}` }] }),
  });
  assert.deepEqual(await accounts.getAccount({ id: 'acc_1' }), { account: { id: 'acc_1', description: '', created: undefined } });
  assert.equal((await accounts.listAccounts({})).accounts[0]?.id, '0');
  assert.deepEqual(accounts.calls, [
    { method: 'getAccount', request: { id: 'acc_1' } },
    { method: 'listAccounts', request: { limit: 0, since: '' } },
  ]);
  const [first] = accounts.calls;
  // Typed: the method says which request it is.
  assert.equal(first?.method === 'getAccount' ? first.request.id : undefined, 'acc_1');
});

test('a call that was not expected is refused in a sentence, and recorded', async () => {
  const accounts = fake(AccountServiceDefinition, { getAccount: async () => ({}) });
  await assert.rejects(accounts.createAccount({ description: 'x' }), {
    name: 'Error',
    message: "account.v1.AccountService/CreateAccount was called with { description: 'x' }, which this fake does not expect: give it a handler createAccount.",
  });
  assert.deepEqual(accounts.calls, [{ method: 'createAccount', request: { description: 'x' } }]);
  await assert.rejects(fake(Streams).sum(numbers(1)), /test\.Streams\/Sum was called with a stream of requests/);
  await assert.rejects(all(fake(Streams).count({ n: 1 })), /test\.Streams\/Count was called with \{ n: 1 \}, which/);
});

test('a call that was not expected fails the test, even if the code under test hides that it was refused', async () => {
  const hooks: (() => void)[] = [];
  const context = { after: (hook: () => void) => void hooks.push(hook) };
  const accounts = fake(AccountServiceDefinition, { getAccount: async () => ({}) }, { test: context });
  await accounts.getAccount({ id: 'acc_1' });
  assert.deepEqual(accounts.unexpected, []);
  hooks[0]?.();
  await accounts.createAccount({ description: 'x' }).catch(() => {});
  await accounts.listAccounts({}).catch(() => {});
  assert.deepEqual(accounts.unexpected, [
    { method: 'createAccount', request: { description: 'x' } },
    { method: 'listAccounts', request: { limit: 0, since: '' } },
  ]);
  assert.throws(() => hooks[0]?.(), /CreateAccount was called with .*\n.*ListAccounts was called with .* give it a handler listAccounts\.$/);
});

test('with the context of node:test', async (t) => {
  const code = `import { test } from 'node:test';
    import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
    import { fake } from '@talaria/testing';
    test('hides it', async (t) => void (await fake(AccountServiceDefinition, {}, { test: t }).listAccounts({}).catch(() => {})));`;
  const { NODE_TEST_CONTEXT: _ours, ...env } = process.env;
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { cwd: import.meta.dirname, env, encoding: 'utf8' });
  assert.equal(status, 1, stdout);
  assert.match(stdout, /ListAccounts was called with/);
  // Nothing to complain of here.
  await fake(AccountServiceDefinition, { listAccounts: async () => ({}) }, { test: t }).listAccounts({});
});

test('a handler that belongs to no method is refused at once', () => {
  assert.throws(() => fake(AccountServiceDefinition, { getAcount: async () => ({}) } as never), /getAcount/);
});

test('fails as a real client does: errors on purpose as they are, others as internal_service, which says why', async () => {
  const accounts = fake(AccountServiceDefinition, {
    getAccount: async ({ id }) => {
      if (id === 'odd') throw new TypeError('oops');
      throw notFound('account', 'None.', { params: { id } });
    },
  });
  await assert.rejects(accounts.getAccount({ id: 'acc_1' }), { name: 'ServiceError', code: 'not_found.account', params: { id: 'acc_1' }, hops: 1 });
  await assert.rejects(accounts.getAccount({ id: 'odd' }), { code: 'internal_service', message: 'internal error (the fake of account.v1.AccountService/GetAccount threw: oops)' });
});

test('streams in both directions', async () => {
  const streams = fake(Streams, {
    async sum(requests) {
      let sum = 0;
      for await (const { n } of requests) sum += n;
      return { n: sum };
    },
    async *count({ n }) {
      for (let at = 1; at <= n; at++) yield { n: at };
    },
  });
  assert.deepEqual(await streams.sum(numbers(1, 2, 3)), { n: 6 });
  assert.deepEqual(await all(streams.count({ n: 3 })), [{ n: 1 }, { n: 2 }, { n: 3 }]);
  assert.deepEqual(streams.calls, [
    { method: 'sum', request: [{ n: 1 }, { n: 2 }, { n: 3 }] },
    { method: 'count', request: { n: 3 } },
  ]);
});

test('its handlers see the principal, the request and the baggage of who calls, and nothing that stays there', async () => {
  const tenant = baggageKey('tenant');
  const local = contextKey<string>('local');
  let seen: unknown;
  const accounts = fake(AccountServiceDefinition, {
    async getAccount(_request, { metadata }) {
      const { principal, requestId, caller } = currentCall();
      seen = { principal: principal?.id, requestId, caller, tenant: tenant.get(), local: local.get(), metadata: [...metadata] };
      return {};
    },
  });
  const principal = { id: 'user_1', clientId: 'test', scopes: [] };
  await runInCall({ principal, requestId: 'req_1', caller: { service: 'x', edge: false } }, () => tenant.run('a', () => local.run('b', () => accounts.getAccount({ id: 'x' }))));
  assert.deepEqual(seen, { principal: 'user_1', requestId: 'req_1', caller: undefined, tenant: 'a', local: undefined, metadata: [] });
});

test('deadlines pass by the clock of the call, and cancellation reaches the handler', async () => {
  const clock = manualClock();
  const aborted: string[] = [];
  const accounts = fake(AccountServiceDefinition, {
    getAccount: ({ id }, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          aborted.push(id);
          reject(signal.reason as Error);
        });
      }),
    async createAccount() {
      throw notFound('account', 'None.');
    },
  });
  const late = assert.rejects(
    runInCall({ clock, deadline: 1_000 }, () => accounts.getAccount({ id: 'late' })),
    { code: 'timeout.deadline' },
  );
  await clock.advance(1_000);
  await late;
  await assert.rejects(fanOut([() => accounts.getAccount({ id: 'other' }), () => accounts.createAccount({})]), { code: 'not_found.account' });
  await eventually(() => aborted.length === 2);
  assert.deepEqual(aborted, ['late', 'other']);
});
