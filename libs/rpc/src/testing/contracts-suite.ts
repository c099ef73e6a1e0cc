import assert from 'node:assert/strict';
import { after, afterEach, describe, it } from 'node:test';
import { currentCall, runInCall, timeRemaining } from '@talaria/context';
import { ServiceError } from '@talaria/errors';
import { Status, type Metadata, type ServerMiddleware } from 'nice-grpc-common';
import { createConnector, type Connector } from '../connector.ts';
import { createServer, type Server, type ServerOptions } from '../server.ts';
import { staticResolver } from '../static-resolver.ts';
import { TransportError } from '../transport-error.ts';
import type { TransportHarness } from './bench.ts';
import { handlers, json, TestDefinition, type Handlers } from './test-contract.ts';
import { until } from './until.ts';

const OtherDefinition = { only: { ...TestDefinition.unary, path: '/test.Other/Only' } } as const;
/** As a contract says it with `talaria.options.v1.deadline`: a Duration of 60 ms, as ts-proto keeps it. */
const QUICK = { _unknownFields: { [(52002 << 3) | 2]: [Buffer.from([5, 16, 128, 142, 206, 28])] } };
const QuickDefinition = {
  unary: { ...TestDefinition.unary, path: '/test.Quick/Unary', options: QUICK as never },
  down: { ...TestDefinition.down, path: '/test.Quick/Down', options: QUICK as never },
} as const;

const settled = (call: Promise<unknown>): Promise<unknown> => call.then((value) => value, (error: unknown) => error);

/** Resolves when the current call is aborted. */
function aborted(): Promise<unknown> {
  const { signal } = currentCall();
  return new Promise((resolve) => (signal?.aborted ? resolve(signal.reason) : signal?.addEventListener('abort', () => resolve(signal.reason), { once: true })));
}

/** How contracts come, go and bound their calls, over every transport. */
export function contractsSuite(harness: TransportHarness): void {
  describe(`${harness.name}: contracts of a server`, () => {
    const transport = harness.create();
    const servers: Server[] = [];
    const connectors: Connector[] = [];
    const release = async (): Promise<void> => {
      await Promise.all(connectors.splice(0).map((connector) => connector.close()));
      await Promise.all(servers.splice(0).map((server) => server.drain(0)));
    };
    afterEach(release);
    after(release);

    const open = async (options: Partial<ServerOptions> = {}) => {
      const server = createServer({ transports: [transport], ...options });
      servers.push(server);
      const address = await server.listen(harness.address);
      const resolver = staticResolver({ 'test.Test': [address], 'test.Other': [address], 'test.Quick': [address] });
      const connector = createConnector({ resolver, transports: [transport], picker: () => ({ pick: ([candidate]) => candidate ?? assert.fail('no candidate') }) });
      connectors.push(connector);
      return { server, connector, address };
    };
    const serve = async (changes: Partial<Handlers>, options: Partial<ServerOptions> = {}) => {
      const opened = await open(options);
      opened.server.add(TestDefinition, { ...handlers, ...changes });
      return { ...opened, client: opened.connector.client(TestDefinition) };
    };

    it('drains a contract that is removed, unary calls and streams, and refuses new ones meanwhile; others are untouched', async () => {
      const answer = Promise.withResolvers<void>();
      let arrived = 0;
      const { server, client, connector } = await serve({
        async unary(request) {
          arrived++;
          await answer.promise;
          return request;
        },
        async *both(requests) {
          for await (const request of requests) yield request;
        },
      });
      server.add(OtherDefinition, { only: handlers.unary });
      const other = connector.client(OtherDefinition);
      const unary = client.unary('in flight');
      const said = Promise.withResolvers<void>();
      const stream = client.both(
        (async function* () {
          yield 'one';
          await said.promise;
          yield 'two';
        })(),
      )[Symbol.asyncIterator]();
      assert.equal((await stream.next()).value, 'one');
      await until('the unary call has arrived', () => arrived === 1);

      let removed = false;
      const removing = server.remove('test.Test', 20_000).then(() => (removed = true));
      assert.deepEqual(server.contracts(), ['test.Other']);
      const refused = await settled(client.unary('late'));
      assert.ok(refused instanceof ServiceError);
      assert.equal(refused.code, 'unavailable.not_sent');
      assert.ok(refused.cause instanceof TransportError);
      assert.equal(refused.cause.outcome, 'refused');
      assert.equal(await other.only('untouched'), 'untouched');
      said.resolve();
      assert.equal((await stream.next()).value, 'two');
      assert.equal((await stream.next()).done, true);
      assert.equal(removed, false);
      answer.resolve();
      assert.equal(await unary, 'in flight');
      await removing;
      assert.equal(arrived, 1);
      const unknown = await settled(client.unary('after'));
      assert.ok(unknown instanceof ServiceError);
      assert.equal(unknown.code, 'unimplemented.method');
      assert.equal(await other.only('untouched'), 'untouched');
    });

    it('ends what does not end by itself with UNAVAILABLE: the handler is aborted, its requests fail, and nobody waits for one that goes on', async () => {
      const reasons: unknown[] = [];
      let stuck = 0;
      const { server, client } = await serve({
        async unary() {
          stuck++;
          return new Promise<string>(() => {});
        },
        async *both(requests) {
          try {
            yield 'open';
            for await (const request of requests) yield request;
          } catch (error) {
            reasons.push((error as Error).name);
            throw error;
          }
        },
      });
      const hangUp = new AbortController();
      const unary = settled(client.unary('for ever', { signal: hangUp.signal }));
      const stream = client.both(
        (async function* () {
          yield 'one';
          await new Promise(() => {});
        })(),
      )[Symbol.asyncIterator]();
      assert.equal((await stream.next()).value, 'open');
      assert.equal((await stream.next()).value, 'one');
      await until('the unary call has arrived', () => stuck === 1);
      const next = settled(stream.next());
      await server.remove('test.Test', 30);
      for (const error of await Promise.all([unary, next])) {
        assert.ok(error instanceof ServiceError);
        assert.equal(error.code, 'unavailable.contract_removed');
      }
      await until('the handler was told', () => reasons.length === 1);
      assert.deepEqual(reasons, ['AbortError']);
    });

    it('serves a contract again that was removed, also while its old calls still drain', async () => {
      const answer = Promise.withResolvers<void>();
      let arrived = false;
      const { server, client } = await serve({
        async unary() {
          arrived = true;
          await answer.promise;
          return 'old';
        },
      });
      const old = client.unary('a');
      await until('it has arrived', () => arrived);
      const removing = server.remove('test.Test', 20_000);
      server.add(TestDefinition, { ...handlers, unary: async () => 'new' });
      assert.equal(await client.unary('a'), 'new');
      answer.resolve();
      assert.equal(await old, 'old');
      await removing;
      assert.equal(await client.unary('a'), 'new');
      assert.deepEqual(server.contracts(), ['test.Test']);
      await Promise.all([server.remove('test.Test', 100), server.remove('test.Test', 100)]);
      assert.deepEqual(server.contracts(), []);
      await server.remove('test.Test');
      server.add(TestDefinition, handlers);
      assert.equal(await client.unary('again'), 'again');
    });

    it('changes what is around all handlers from the next call on', async () => {
      const order: string[] = [];
      const noting =
        (name: string): ServerMiddleware =>
        async function* (call, context) {
          order.push(name);
          return yield* call.next(call.request, context);
        };
      let around: readonly ServerMiddleware[] = [noting('a')];
      const opened = await open({ middleware: () => around });
      opened.server.add(TestDefinition, handlers, { middleware: [noting('own')] });
      const client = opened.connector.client(TestDefinition);
      await client.unary('x');
      around = [noting('b'), noting('c')];
      await client.unary('x');
      assert.deepEqual(order, ['a', 'own', 'b', 'c', 'own']);
    });

    it("bounds a call by its method's own deadline, on the server whatever the client wants", async () => {
      const left: number[] = [];
      const reasons = new Map<string, string>();
      const { server, connector } = await open();
      server.add(QuickDefinition, {
        async unary(text) {
          left.push(timeRemaining() ?? Infinity);
          reasons.set(text, ((await aborted()) as Error).name);
          return 'too late';
        },
        async *down() {
          yield 'first';
          // Heeds nothing.
          await new Promise(() => {});
        },
      });
      // Another view of the contract, which knows of no deadline: only the server is left to keep it.
      const plain = { unary: { ...QuickDefinition.unary, options: {} }, down: { ...QuickDefinition.down, options: {} } };
      for (const [name, client] of Object.entries({ knows: connector.client(QuickDefinition), plain: connector.client(plain) })) {
        const error = await settled(client.unary(name, { timeoutMs: 20_000 }));
        assert.ok(error instanceof ServiceError);
        assert.equal(error.code, 'timeout.deadline');
        const stream = client.down('a', { timeoutMs: 20_000 })[Symbol.asyncIterator]();
        assert.equal((await stream.next()).value, 'first');
        const ended = await settled(stream.next());
        assert.ok(ended instanceof ServiceError);
        assert.equal(ended.code, 'timeout.deadline');
      }
      assert.ok(left.every((ms) => ms <= 60), String(left));
      await until('both handlers were told', () => reasons.size === 2);
      // A client that keeps the deadline itself may be the first to hang up.
      assert.equal(reasons.get('plain'), 'TimeoutError');
    });

    it("gives a call its method's deadline where nothing shorter is set, instead of the default", async () => {
      const { server, connector } = await open();
      const slow = { unary: { ...TestDefinition.unary, path: '/test.Quick/Unary', options: { deadlineMs: 60_000 } as never } } as const;
      server.add(slow, { unary: async () => String(timeRemaining()) });
      const client = connector.client(slow);
      assert.ok(Number(await client.unary('a')) > 20_000);
      assert.ok(Number(await client.unary('a', { timeoutMs: 15_000 })) <= 15_000);
      assert.ok(Number(await runInCall({ deadline: performance.now() + 14_000 }, () => client.unary('a'))) <= 14_000);
    });

    it('explains methods that nobody serves and requests that are too large as every other error', async () => {
      const { client, connector, server } = await serve({}, { maxRequestBytes: 100 });
      const trailers: string[][] = [];
      const onTrailer = (trailer: Metadata): void => void trailers.push([...trailer].map(([key]) => key));
      const large = await settled(client.unary('x'.repeat(200), { onTrailer }));
      assert.ok(large instanceof ServiceError);
      assert.equal(large.code, 'rate_limited.message_too_large');
      assert.equal(large.retryable, false);
      assert.match(large.message, /larger than max/);
      const unknown = await settled(connector.client(OtherDefinition).only('a', { onTrailer }));
      assert.ok(unknown instanceof ServiceError);
      assert.equal(unknown.code, 'unimplemented.method');
      assert.equal(unknown.params['contract'], 'test.Other');
      assert.equal(unknown.kind.grpc, Status.UNIMPLEMENTED);
      assert.ok(trailers.length === 2 && trailers.every((keys) => keys.includes('grpc-status-details-bin')), JSON.stringify(trailers));
      assert.equal(await client.unary('small'), 'small');
      assert.deepEqual(server.contracts(), ['test.Test']);
      assert.deepEqual(json.options, {});
    });
  });
}
