import { after, afterEach, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { context as otel } from '@opentelemetry/api';
import { currentCall, runInCall, withCall } from '@talaria/context';
import { hasCode, notFound, ServiceError, toWire } from '@talaria/errors';
import { ClientError, Metadata, ServerError, Status, type ClientMiddleware, type ServerMiddleware } from 'nice-grpc-common';
import type { Refusal } from '../admission.ts';
import { createConnector, type Connector, type ConnectorOptions } from '../connector.ts';
import { contractMethod } from '../contract.ts';
import { nextIn } from '../next-in.ts';
import type { Picker } from '../picker.ts';
import { createServer, type Server, type ServerOptions } from '../server.ts';
import { staticResolver } from '../static-resolver.ts';
import type { TransportHarness } from './bench.ts';
import { handlers, json, TestDefinition, type Handlers } from './test-contract.ts';
import { settle, until } from './until.ts';

const first: Picker = {
  pick: ([candidate]) => candidate ?? assert.fail('no candidate'),
};

async function* stream(...messages: string[]): AsyncGenerator<string, void, undefined> {
  yield* messages;
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const got: T[] = [];
  for await (const one of source) got.push(one);
  return got;
}

async function serviceError(call: Promise<unknown>): Promise<ServiceError> {
  const error = await call.then(
    () => assert.fail('the call succeeded'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ServiceError, `no ServiceError: ${String(error)}`);
  return error;
}

/** What servers and clients have to do over every transport. */
export function rpcSuite(harness: TransportHarness): void {
  describe(`${harness.name}: server and client`, () => {
    const transport = harness.create();
    const servers: Server[] = [];
    const connectors: Connector[] = [];
    const release = async (): Promise<void> => {
      await Promise.all(connectors.splice(0).map((connector) => connector.close()));
      await Promise.all(servers.splice(0).map((server) => server.drain(0)));
    };
    afterEach(release);
    after(release);

    const connector = (address: string | readonly string[], options: Partial<ConnectorOptions> = {}): Connector => {
      const resolver = staticResolver({ 'test.Test': typeof address === 'string' ? [address] : address });
      const made = createConnector({ resolver, transports: [transport], picker: () => first, ...options });
      connectors.push(made);
      return made;
    };
    const serve = async (changes: Partial<Handlers>, options: Partial<ServerOptions> = {}, client: Partial<ConnectorOptions> = {}) => {
      const server = createServer({ transports: [transport], ...options });
      servers.push(server);
      server.add(TestDefinition, { ...handlers, ...changes });
      const address = await server.listen(harness.address);
      return { server, address, client: connector(address, client).client(TestDefinition) };
    };

    it('calls methods of all kinds', async () => {
      const { client, server } = await serve({});
      assert.deepEqual(server.contracts(), ['test.Test']);
      assert.equal(await client.unary('a'), 'a');
      assert.equal(await client.up(stream('a', 'b')), 'ab');
      assert.deepEqual(await all(client.down('abc')), ['a', 'b', 'c']);
      assert.deepEqual(await all(client.both(stream('x', 'y'))), ['x', 'y']);
    });

    it('keeps code, params and retryability of errors, from every kind', async () => {
      const fail = (): never => {
        throw new ServiceError('not_found.thing', 'no such thing', { params: { id: '7' }, retryable: true, retryAfterMs: 1500, violations: [{ field: 'id', description: 'odd' }] });
      };
      const { client } = await serve({
        unary: async () => fail(),
        up: async () => fail(),
        async *down() {
          yield 'one';
          fail();
        },
         
        async *both() {
          fail();
        },
      });
      const calls = [() => client.unary('a'), () => client.up(stream('a')), () => all(client.down('a')), () => all(client.both(stream('a')))];
      for (const call of calls) {
        const error = await serviceError(call());
        assert.equal(error.code, 'not_found.thing');
        assert.equal(error.message, 'no such thing');
        assert.deepEqual(error.params, { id: '7' });
        assert.equal(error.retryable, true);
        assert.equal(error.retryAfterMs, 1500);
        assert.deepEqual(error.violations, [{ field: 'id', description: 'odd' }]);
        assert.equal(error.hops, 1);
      }
    });

    it('withholds what an unexpected error says, and logs it', async () => {
      const logged: unknown[] = [];
      const log = { error: (_message: string, fields: { err?: unknown }) => logged.push(fields.err) };
      const secret = new Error('password 123');
      const { client } = await serve({ unary: () => Promise.reject(secret) }, { log: log as never });
      const error = await serviceError(client.unary('a'));
      assert.equal(error.code, 'internal_service');
      assert.doesNotMatch(error.message, /123/);
      assert.deepEqual(logged, [secret]);
    });

    it('a ServerError passes as it is', async () => {
      const { client } = await serve({ unary: () => Promise.reject(new ServerError(Status.OUT_OF_RANGE, 'too far')) });
      const error = await serviceError(client.unary('a'));
      assert.equal(error.code, 'bad_request');
      assert.equal(error.message, 'too far');
    });

    it('an undecodable request is bad_request.malformed, and the handler does not run', async () => {
      let ran = false;
      const { address } = await serve({
        unary: async () => {
          ran = true;
          return '';
        },
      });
      const broken = { unary: { ...TestDefinition.unary, requestSerialize: () => Buffer.from('{') } };
      const error = await serviceError(connector(address).client(broken).unary('a'));
      assert.equal(error.code, 'bad_request.malformed');
      assert.equal(ran, false);
    });

    it('an undecodable response is an internal error that names the method', async () => {
      const { address } = await serve({});
      const broken = { unary: { ...TestDefinition.unary, responseDeserialize: (): string => JSON.parse('{') as string } };
      const error = await serviceError(connector(address).client(broken).unary('a'));
      assert.equal(error.code, 'internal_service.malformed_response');
    });

    it('admission refuses before anything is decoded', async () => {
      let decoded = 0;
      const { status, message, trailer } = toWire(new ServiceError('unauthorized.key', 'no key'));
      const refusal: Refusal = { refusal: { status, details: message, trailer } };
      const server = createServer({
        transports: [transport],
        admission: { admit: (call) => (call.header('x-key') === 'let me in' ? { done() {} } : refusal) },
      });
      servers.push(server);
      const counting = { ...json, requestDeserialize: (bytes: Uint8Array) => (decoded++, json.requestDeserialize(bytes)) };
      server.add({ unary: { ...TestDefinition.unary, ...counting } }, { unary: handlers.unary });
      const client = connector(await server.listen(harness.address)).client(TestDefinition);
      assert.equal((await serviceError(client.unary('a'))).code, 'unauthorized.key');
      assert.equal(decoded, 0);
      assert.equal(await client.unary('a', { metadata: Metadata({ 'x-key': 'let me in' }) }), 'a');
      assert.equal(decoded, 1);
    });

    it('the context of each call is its own, in every step of every generator', async () => {
      const seen = new Map<string, Set<string | undefined>>();
      const note = (name: string): void => void (seen.get(name) ?? seen.set(name, new Set()).get(name))?.add(currentCall().requestId);
      const middleware: ServerMiddleware = async function* (call, context) {
        const requestId = context.metadata.get('x-id');
        return yield* nextIn(withCall(otel.active(), { requestId }), call, call.request, context);
      };
      const { client } = await serve(
        {
          async *both(request, { metadata }) {
            const id = metadata.get('x-id') ?? '';
            for await (const one of request) {
              note(id);
              await settle(1);
              yield one;
              note(id);
            }
          },
          async unary(request, { metadata }) {
            await settle(2);
            note(metadata.get('x-id') ?? '');
            return request;
          },
        },
        { middleware: [middleware] },
      );
      await Promise.all(
        ['1', '2', '3', '4'].map(async (id) => {
          const options = { metadata: Metadata({ 'x-id': id }) };
          await runInCall({ requestId: `client ${id}` }, async () => {
            await client.unary('a', options);
            for await (const _ of client.both(stream('a', 'b', 'c'), options)) assert.equal(currentCall().requestId, `client ${id}`);
          });
        }),
      );
      for (const id of ['1', '2', '3', '4']) assert.deepEqual([...(seen.get(id) ?? [])], [id]);
    });

    it('runs middleware in order, with methods that know their contract', async () => {
      const order: string[] = [];
      const server =
        (name: string): ServerMiddleware =>
        async function* (call, context) {
          order.push(`${name} in ${contractMethod(call.method).contract}`);
          const response = yield* call.next(call.request, context);
          order.push(`${name} out`);
          return response;
        };
      const client =
        (name: string): ClientMiddleware =>
        async function* (call, options) {
          order.push(`${name} in ${contractMethod(call.method).name}`);
          const response = yield* call.next(call.request, options);
          order.push(`${name} out`);
          return response;
        };
      const { client: plain } = await serve({}, { middleware: [server('s1'), server('s2')] }, { middleware: [client('c1'), client('c2')] });
      await plain.unary('a');
      assert.deepEqual(order, ['c1 in Unary', 'c2 in Unary', 's1 in test.Test', 's2 in test.Test', 's2 out', 's1 out', 'c2 out', 'c1 out']);
      order.length = 0;
      assert.deepEqual(await all(plain.down('ab')), ['a', 'b']);
      assert.equal(order.length, 8);
    });

    it('client middleware sees ClientError, and the caller ServiceError', async () => {
      const seen: unknown[] = [];
      const watch: ClientMiddleware = async function* (call, options) {
        try {
          return yield* call.next(call.request, options);
        } catch (error) {
          seen.push(error);
          throw error;
        }
      };
      const { client } = await serve({ unary: () => Promise.reject(notFound('thing', 'none')) }, {}, { middleware: [watch] });
      assert.equal((await serviceError(client.unary('a'))).code, 'not_found.thing');
      assert.ok(seen[0] instanceof ClientError);
    });

    it('header and trailer of handlers arrive', async () => {
      const { client } = await serve({
        async unary(request, context) {
          context.header.set('x-head', 'h');
          context.trailer.set('x-trail', 't');
          return request;
        },
      });
      let header: string | undefined;
      let trailer: string | undefined;
      await client.unary('a', { onHeader: (got) => (header = got.get('x-head')), onTrailer: (got) => (trailer = got.get('x-trail')) });
      assert.deepEqual([header, trailer], ['h', 't']);
    });

    it('the deadline shrinks from hop to hop, and comes from the options, the call, or the default', async () => {
      const deadlines: number[] = [];
      const back = await serve({
        async unary(request) {
          deadlines.push((currentCall().deadline ?? NaN) - performance.now());
          return request;
        },
      });
      const inner = back.client;
      const front = await serve({ unary: (request) => inner.unary(request) });
      await front.client.unary('a', { timeoutMs: 5_000 });
      await front.client.unary('a');
      await front.client.unary('a', { deadline: performance.now() + 7_000, timeoutMs: 60_000 });
      await runInCall({ deadline: performance.now() + 3_000 }, () => front.client.unary('a', { timeoutMs: 60_000 }));
      const limits = [5_000, 10_000, 7_000, 3_000];
      for (const [index, limit] of limits.entries()) {
        const left = deadlines[index] ?? NaN;
        assert.ok(left <= limit + 50 && left > limit - 2_500, `${left} ms left of ${limit}`);
      }
    });

    it('an expired call never reaches a handler', async () => {
      let ran = 0;
      const { client } = await serve({ unary: async () => (ran++, '') });
      assert.equal((await serviceError(client.unary('a', { timeoutMs: 0 }))).code, 'timeout.deadline');
      assert.equal((await serviceError(runInCall({ deadline: performance.now() - 1 }, () => client.unary('a')))).code, 'timeout.deadline');
      await settle();
      assert.equal(ran, 0);
    });

    it('hanging up and timing out end the work of every hop', async () => {
      const reasons: string[] = [];
      let running = 0;
      const back = await serve({
        unary: () =>
          new Promise((_, reject) => {
            running++;
            const { signal } = currentCall();
            signal?.addEventListener('abort', () => {
              reasons.push((signal.reason as Error).name);
              reject(signal.reason as Error);
            });
          }),
      });
      const front = await serve({ unary: (request) => back.client.unary(request) });
      const controller = new AbortController();
      const hungUp = serviceError(front.client.unary('a', { signal: controller.signal }));
      await until('the last hop runs', () => running === 1);
      controller.abort();
      assert.equal((await hungUp).code, 'cancelled.caller');
      await until('the last hop is aborted', () => reasons.length === 1);
      assert.equal((await serviceError(front.client.unary('a', { timeoutMs: 150 }))).code, 'timeout.deadline');
      await until('it is aborted again, if it ran', () => reasons.length === running);
    });

    it('returning ends what was started for the call', async () => {
      const aborted: string[] = [];
      const { client } = await serve({
        async unary(request) {
          currentCall().signal?.addEventListener('abort', () => aborted.push('unary'));
          return request;
        },
        async *down(request) {
          currentCall().signal?.addEventListener('abort', () => aborted.push('down'));
          yield request;
        },
      });
      await client.unary('a');
      await all(client.down('a'));
      await until('both ended', () => aborted.length === 2);
    });

    it('a reader that stops ends the call for the handler', async () => {
      let reason: unknown;
      const { client } = await serve({
        async *down(_request, { signal }) {
          signal.addEventListener('abort', () => (reason = signal.reason));
          for (;;) {
            yield 'tick';
            await settle(1);
          }
        },
      });
      for await (const _ of client.down('a')) break;
      await until('the handler is aborted', () => reason !== undefined);
    });

    it('a contract that nobody serves is unavailable.no_instances, and a dead instance unavailable too', async () => {
      const none = connector([]).client(TestDefinition);
      const error = await serviceError(none.unary('a'));
      assert.equal(error.code, 'unavailable.no_instances');
      assert.equal(error.params['contract'], 'test.Test');
      assert.equal((await serviceError(all(none.both(stream('a'))))).code, 'unavailable.no_instances');
      const dead = connector(harness.absent).client(TestDefinition);
      assert.equal((await serviceError(dead.unary('a'))).code, 'unavailable.not_sent');
      assert.ok(hasCode(await serviceError(all(dead.down('a'))), 'unavailable'));
    });

    it('refuses what is wrong at add', async () => {
      const { server } = await serve({});
      assert.throws(() => server.add(TestDefinition, handlers), /served already/);
      const other = { only: { ...TestDefinition.unary, path: '/test.Other/Only' } };
      assert.throws(() => server.add(other, {} as never), /handlers of test\.Other lack only/);
      assert.throws(() => server.add(other, { only: handlers.unary, extra: handlers.unary } as never), /handler extra belongs to no method of test\.Other: remove it/);
      server.add(other, { only: handlers.unary });
      await server.remove('test.Other');
      assert.deepEqual(server.contracts(), ['test.Test']);
    });
  });
}
