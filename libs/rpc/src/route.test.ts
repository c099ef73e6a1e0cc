import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { currentCall, runInCall } from '@talaria/context';
import { hasCode } from '@talaria/errors';
import { connectionPool } from './connection-pool.ts';
import { createConnector, type ConnectorOptions } from './connector.ts';
import { inprocTransport } from './inproc/inproc-transport.ts';
import type { Picker, AttemptResult } from './picker.ts';
import type { Endpoint, Resolver } from './resolver.ts';
import { createServer } from './server.ts';
import { endpointAt } from './static-resolver.ts';
import { TestDefinition } from './testing/test-contract.ts';
import { settle, until } from './testing/until.ts';
import type { Candidate } from './index.ts';
import { openRoute } from './route.ts';

/** A resolver that a test drives. */
function manualResolver(): Resolver & { set(addresses: readonly string[]): void; change(endpoints: readonly Endpoint[]): void; readonly listeners: number; readonly resolvedIn: unknown[] } {
  const listeners = new Set<(endpoints: readonly Endpoint[]) => void>();
  const resolvedIn: unknown[] = [];
  let endpoints: readonly Endpoint[] | undefined;
  const change = (all: readonly Endpoint[]): void => {
    endpoints = all;
    for (const listener of [...listeners]) listener(all);
  };
  return {
    resolvedIn,
    get listeners() {
      return listeners.size;
    },
    set: (addresses) => change(addresses.map(endpointAt)),
    change,
    resolve() {
      resolvedIn.push(currentCall().requestId);
      return {
        get endpoints() {
          return endpoints;
        },
        onChange(listener) {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
        close() {},
      };
    },
  };
}

const first: Picker = { pick: ([candidate]) => candidate ?? assert.fail('no candidate') };

describe('routes', () => {
  const transport = inprocTransport();
  const start = async (name: string, onCall = (): unknown => undefined) => {
    const server = createServer({ transports: [transport] });
    server.add(
      { unary: TestDefinition.unary },
      {
        unary: async () => {
          onCall();
          await settle(3);
          return name;
        },
      },
    );
    return { server, address: await server.listen(`inproc://${name}`) };
  };
  const connect = (resolver: Resolver, options: Partial<ConnectorOptions> = {}) => createConnector({ resolver, transports: [transport], picker: () => first, ...options });

  it('a call waits for the first answer of the resolver, and no longer than its limit', async () => {
    const resolver = manualResolver();
    const { server, address } = await start('late');
    const connector = connect(resolver);
    const client = connector.client(TestDefinition);
    const call = runInCall({ requestId: 'mine' }, () => client.unary('a'));
    await until('it resolves', () => resolver.listeners === 1);
    resolver.set([address]);
    assert.equal(await call, 'late');
    assert.deepEqual(resolver.resolvedIn, [undefined], 'resolving is nobody’s call');
    const never = connect(manualResolver(), { firstAnswerMs: 20 });
    await assert.rejects(never.client(TestDefinition).unary('a'), (error) => hasCode(error, 'unavailable.no_instances'));
    const cancelled = connect(manualResolver());
    await assert.rejects(cancelled.client(TestDefinition).unary('a', { signal: AbortSignal.timeout(20) }), (error) => hasCode(error, 'cancelled'));
    await Promise.all([connector.close(), never.close(), cancelled.close()]);
    await server.drain(0);
  });

  it('follows the resolver, and closes what is gone when its calls are over', async () => {
    const resolver = manualResolver();
    let calls = 0;
    const one = await start('one', () => calls++);
    const two = await start('two');
    let onPick = (): void => {};
    const picker: Picker = {
      pick(candidates, info) {
        const picked = first.pick(candidates, info);
        onPick();
        return picked;
      },
    };
    const connector = connect(resolver, { picker: () => picker });
    const client = connector.client(TestDefinition);
    resolver.set([one.address]);
    assert.equal(await client.unary('a'), 'one');
    onPick = () => resolver.set([two.address]);
    assert.equal(await client.unary('a'), 'two', 'what left between pick and call is not tried');
    onPick = () => {};
    resolver.set([one.address]);
    const running = client.unary('a');
    await until('it runs', () => calls === 2);
    resolver.set([two.address]);
    assert.equal(await running, 'one', 'a call in flight goes on');
    assert.equal(await client.unary('a'), 'two');
    resolver.set([]);
    await assert.rejects(client.unary('a'), (error) => hasCode(error, 'unavailable.no_instances'));
    resolver.set([one.address]);
    assert.equal(await client.unary('a'), 'one');
    await connector.close();
    await assert.rejects(client.unary('a'));
    await Promise.all([one.server.drain(0), two.server.drain(0)]);
  });

  it('candidates stay the same as long as they lead to the same place, and share connections by address', () => {
    const resolver = manualResolver();
    const pool = connectionPool([transport], {}, 0);
    resolver.set(['inproc://a', 'inproc://b', 'other://c']);
    let closed = 0;
    const picker: Picker = { ...first, close: () => closed++ };
    const open = (): ReturnType<typeof openRoute> => openRoute('test.Test', { resolver, pool, picker, firstAnswerMs: 0 });
    const route = open();
    const other = open();
    const method = { path: '/a/b', requestStream: false, responseStream: false };
    const now = (): readonly Candidate[] => route.candidates(method, { metadata: undefined as never }) as readonly Candidate[];
    const [a, b, ...rest] = now();
    assert.deepEqual(rest, [], 'an address that no transport takes is no candidate');
    assert.equal((other.candidates(method, { metadata: undefined as never }) as readonly Candidate[])[0]?.connection, a?.connection);
    const before = now();
    resolver.set(['inproc://a', 'inproc://b', 'other://c']);
    assert.equal(now(), before, 'nothing has changed');
    resolver.change([{ ...endpointAt('inproc://a'), weight: 3 }, endpointAt('inproc://b')]);
    assert.notEqual(now(), before);
    assert.deepEqual(now(), [a, b]);
    assert.equal(a?.endpoint.weight, 3, 'what is known of it now');
    const choice = { version: undefined, instance: undefined };
    assert.equal(route.current(choice), route.current({ ...choice }), 'a choice, too, is the same array');
    assert.equal(closed, 0);
    resolver.set(['inproc://b', 'inproc://d']);
    assert.equal(now()[0], b);
    assert.notEqual(now()[1]?.connection, a?.connection);
    route.close();
    assert.notEqual(b?.connection.state, 'closed', 'the other route still holds it');
    other.close();
    assert.equal(b?.connection.state === 'closed' || b?.connection.state === 'draining', true);
    assert.equal(closed, 2);
  });

  it('tells the picker how each attempt ended', async () => {
    const { server, address } = await start('told');
    const results: AttemptResult[] = [];
    const picker: Picker = { ...first, done: (_, result) => results.push(result) };
    const resolver = manualResolver();
    resolver.set([address]);
    const connector = connect(resolver, { picker: () => picker });
    const client = connector.client(TestDefinition);
    await client.unary('a');
    await client.up((async function* () {})()).catch(() => {});
    assert.deepEqual(
      results.map(({ error }) => error === undefined),
      [true, false],
    );
    await connector.close();
    await server.drain(0);
  });
});
