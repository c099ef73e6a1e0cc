import assert from 'node:assert/strict';
import { after, afterEach, describe, it } from 'node:test';
import { mutableSetting, silentLogger, type Logger } from '@talaria/base';
import { hasCode, ServiceError } from '@talaria/errors';
import { createConnector, createServer, grpcTransport, inprocTransport, Metadata, staticResolver, type CallLimits, type Client, type Connector, type Server, type ServiceDefinition } from '@talaria/rpc';
import { balancedPicker } from '../balance/balanced-picker.ts';
import type { FaultRule } from './fault-rule.ts';
import { createFaults, type Faults } from './faults.ts';
import { faultyTransport } from './faulty-transport.ts';

/** A codec that refuses what is damaged, as protobuf's does. */
function decode(bytes: Uint8Array): string {
  if (bytes[0] === 0xff) throw new Error('invalid varint');
  return Buffer.from(bytes).toString();
}
const text = { requestSerialize: (value: string) => Buffer.from(value), requestDeserialize: decode, responseSerialize: (value: string) => Buffer.from(value), responseDeserialize: decode, options: {} };
const definition = {
  unary: { ...text, path: '/test.v1.Test/Unary', requestStream: false, responseStream: false },
  server: { ...text, path: '/test.v1.Test/Server', requestStream: false, responseStream: true },
  client: { ...text, path: '/test.v1.Test/Client', requestStream: true, responseStream: false },
} as const satisfies ServiceDefinition;

const LONG_MS = 60_000;

async function* stream(...messages: string[]): AsyncGenerator<string, void, undefined> {
  yield* messages;
}

/** All responses, and the error in the end if there is one. */
async function all(source: AsyncIterable<string>): Promise<{ got: string[]; error?: unknown }> {
  const got: string[] = [];
  try {
    for await (const one of source) got.push(one);
  } catch (error) {
    return { got, error };
  }
  return { got };
}

const rejection = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    (value) => assert.fail(`the call succeeded: ${String(value)}`),
    (error: unknown) => error,
  );

for (const kind of [
  { name: 'h2c', create: grpcTransport, address: 'h2c://127.0.0.1:0' },
  { name: 'inproc', create: inprocTransport, address: 'inproc://test:0' },
]) {
  for (const side of ['client', 'server'] as const) {
    describe(`${kind.name}: faults at the ${side}`, () => {
      const servers: Server[] = [];
      const connectors: Connector[] = [];
      const release = async (): Promise<void> => {
        await Promise.all(connectors.splice(0).map((connector) => connector.close()));
        await Promise.all(servers.splice(0).map((server) => server.drain(0)));
      };
      afterEach(release);
      after(release);

      interface Bench {
        client: Client<typeof definition, CallLimits>;
        faults: Faults;
        rules: ReturnType<typeof mutableSetting<readonly FaultRule[]>>;
        /** How many calls the handlers have got. */
        readonly executed: number;
        connection: () => number;
      }
      const bench = async (...given: (Omit<FaultRule, 'side'> & Partial<FaultRule>)[]): Promise<Bench> => {
        const rules = mutableSetting<readonly FaultRule[]>(given.map((rule) => ({ side, ...rule })));
        const faults = createFaults({ rules, service: 'service.me', instance: 'inst_me', random: () => 0.5, callerOf: async (metadata) => metadata.get('x-token') });
        const transport = kind.create();
        const faulty = faultyTransport(transport, faults);
        const server = createServer({ transports: [side === 'server' ? faulty : transport] });
        servers.push(server);
        let executed = 0;
        server.add(definition, {
          async unary(request) {
            executed += 1;
            return request;
          },
          async *server(request) {
            executed += 1;
            for (let n = 1; n <= 5; n += 1) yield `${request}${n}`;
          },
          async client(requests) {
            executed += 1;
            const { got } = await all(requests);
            return got.join('');
          },
        });
        const at = await server.listen(kind.address);
        const connector = createConnector({ resolver: staticResolver({ 'test.v1.Test': [at] }), transports: [side === 'client' ? faulty : transport], picker: () => balancedPicker() });
        connectors.push(connector);
        return {
          client: connector.client(definition),
          faults,
          rules,
          get executed() {
            return executed;
          },
          connection: () => connector.topology()[0]?.endpoints[0]?.connection.inFlight ?? 0,
        };
      };

      it('error: fails calls of every kind with its status, and says which fault it was; nobody executes them', async () => {
        const made = await bench({ id: 'down', fault: { error: { code: 'UNAVAILABLE', message: 'the disk is full' } } });
        const trailers: Metadata[] = [];
        const error = await rejection(made.client.unary('a', { onTrailer: (trailer) => trailers.push(trailer) }));
        assert.ok(error instanceof ServiceError && error.code === 'unavailable.injected_fault' && error.params['fault'] === 'down', String(error));
        assert.equal(error.message, 'the disk is full');
        assert.equal(trailers.length, 1);
        assert.ok(trailers[0]!.has('grpc-status-details-bin'));
        assert.ok(hasCode(await rejection(made.client.client(stream('a', 'b'))), 'unavailable.injected_fault'));
        const streamed = await all(made.client.server('a'));
        assert.deepEqual(streamed.got, []);
        assert.ok(hasCode(streamed.error, 'unavailable.injected_fault'));
        assert.equal(made.executed, 0);
      });

      it('error: takes every status', async () => {
        const made = await bench({ fault: { error: { code: 'DATA_LOSS' } } });
        const codes: [FaultRule['fault'], string][] = [
          [{ error: { code: 'NOT_FOUND' } }, 'not_found.injected_fault'],
          [{ error: { code: 'DEADLINE_EXCEEDED' } }, 'timeout.injected_fault'],
          [{ error: { code: 'RESOURCE_EXHAUSTED' } }, 'rate_limited.injected_fault'],
          [{ error: { code: 'INTERNAL' } }, 'internal_service.injected_fault'],
          [{ error: { code: 'DATA_LOSS' } }, 'internal_service.injected_fault'],
        ];
        for (const [fault, code] of codes) {
          made.rules.set([{ side, fault }]);
          assert.ok(hasCode(await rejection(made.client.unary('a')), code), code);
        }
      });

      it('delay: the call succeeds, later', async () => {
        const made = await bench({ fault: { delay: 40, jitter: 20 } });
        const began = performance.now();
        assert.equal(await made.client.unary('a'), 'a');
        assert.ok(performance.now() - began >= 38);
        assert.deepEqual((await all(made.client.server('a'))).got.length, 5);
        assert.equal(await made.client.client(stream('a', 'b')), 'ab');
      });

      it('delay: a deadline that passes meanwhile ends the call', async () => {
        const made = await bench({ fault: { delay: LONG_MS } });
        assert.ok(hasCode(await rejection(made.client.unary('a', { timeoutMs: 50 })), 'timeout'));
        assert.ok(hasCode((await all(made.client.server('a', { timeoutMs: 50 }))).error, 'timeout'));
        assert.equal(made.executed, 0);
        assert.equal(made.connection(), 0);
      });

      it('delay and error: fails, later', async () => {
        const made = await bench({ fault: { delay: 30, error: { code: 'UNAVAILABLE' } } });
        const began = performance.now();
        assert.ok(hasCode(await rejection(made.client.unary('a')), 'unavailable.injected_fault'));
        assert.ok(performance.now() - began >= 28);
      });

      it('blackhole: ends with the deadline', async () => {
        const made = await bench({ fault: { blackhole: true } });
        assert.ok(hasCode(await rejection(made.client.unary('a', { timeoutMs: 50 })), 'timeout'));
        assert.ok(hasCode(await rejection(made.client.client(stream('a'), { timeoutMs: 50 })), 'timeout'));
        assert.ok(hasCode((await all(made.client.server('a', { timeoutMs: 50 }))).error, 'timeout'));
        assert.equal(made.executed, 0);
      });

      it('blackhole: ends when the caller cancels, and counts as in flight until then', async () => {
        const made = await bench({ fault: { blackhole: true } });
        const caller = new AbortController();
        const call = rejection(made.client.unary('a', { signal: caller.signal, timeoutMs: LONG_MS }));
        while (made.connection() === 0) await new Promise((resolve) => setImmediate(resolve));
        caller.abort();
        assert.ok(hasCode(await call, 'cancelled'));
        assert.equal(made.connection(), 0);
      });

      it('blackhole: ends when the connection is closed', async () => {
        const made = await bench({ fault: { blackhole: true } });
        const call = rejection(made.client.unary('a', { timeoutMs: LONG_MS }));
        while (made.connection() === 0) await new Promise((resolve) => setImmediate(resolve));
        await release();
        assert.ok(hasCode(await call, 'unavailable'));
      });

      it('abort: cuts a stream after so many messages', async () => {
        const made = await bench({ id: 'cut', fault: { abort: { afterMessages: 2 } } });
        const trailers: Metadata[] = [];
        const { got, error } = await all(made.client.server('a', { onTrailer: (trailer) => trailers.push(trailer) }));
        assert.deepEqual(got, ['a1', 'a2']);
        assert.ok(error instanceof ServiceError && error.code === 'unavailable.injected_fault' && error.params['fault'] === 'cut');
        assert.equal(trailers.length, 1);
        assert.equal(made.executed, 1);
      });

      it('abort: a stream that ends before is whole; one that is as long is cut', async () => {
        const made = await bench({ fault: { abort: { afterMessages: 6 } } });
        const trailers: Metadata[] = [];
        const whole = await all(made.client.server('a', { onTrailer: (trailer) => trailers.push(trailer) }));
        assert.deepEqual([whole.got.length, whole.error], [5, undefined]);
        assert.equal(trailers.length, 1);
        made.rules.set([{ side, fault: { abort: { afterMessages: 5 } } }]);
        const cut = await all(made.client.server('a'));
        assert.equal(cut.got.length, 5);
        assert.ok(hasCode(cut.error, 'unavailable.injected_fault'));
      });

      it('abort: an answer that is no stream is lost, though the call was executed', async () => {
        const made = await bench({ fault: { abort: { afterMessages: 1 } } });
        assert.ok(hasCode(await rejection(made.client.unary('a')), 'unavailable.injected_fault'));
        assert.equal(made.executed, 1);
        assert.ok(hasCode(await rejection(made.client.client(stream('a'))), 'unavailable.injected_fault'));
        assert.equal(made.executed, 2);
      });

      it('corrupt: the answer cannot be decoded', async () => {
        const made = await bench({ fault: { corrupt: true } });
        assert.ok(hasCode(await rejection(made.client.unary('a')), 'internal_service'));
        const { got, error } = await all(made.client.server('a'));
        assert.deepEqual(got, []);
        assert.ok(hasCode(error, 'internal_service'));
        assert.ok(hasCode(await rejection(made.client.client(stream('a'))), 'internal_service'));
        made.rules.set([{ side, fault: { corrupt: 'flip' } }]);
        assert.equal(await made.client.unary('abc'), `a${String.fromCharCode('b'.charCodeAt(0) ^ 16)}c`);
      });

      it('trickle: answers arrive slowly', async () => {
        const made = await bench({ fault: { trickle: { bytesPerSecond: 100 } } });
        const began = performance.now();
        assert.deepEqual((await all(made.client.server('a'))).got, ['a1', 'a2', 'a3', 'a4', 'a5']);
        assert.ok(performance.now() - began >= 95);
        assert.equal(await made.client.unary('abcd'), 'abcd');
        assert.ok(performance.now() - began >= 133);
        made.rules.set([{ side, fault: { trickle: { bytesPerSecond: 1 } } }]);
        assert.ok(hasCode(await rejection(made.client.unary('a', { timeoutMs: 50 })), 'timeout'));
      });

      it('trickle: a stream that runs is fast again when the rule goes', async () => {
        const made = await bench({ fault: { trickle: { bytesPerSecond: 40 } } });
        const got: string[] = [];
        for await (const one of made.client.server('a', { timeoutMs: LONG_MS })) {
          got.push(one);
          made.rules.set([]);
        }
        assert.equal(got.length, 5);
      });

      it('a stream that nobody reads any more lets go of its call', async () => {
        const made = await bench({ fault: { trickle: { bytesPerSecond: 1_000 } } });
        for await (const one of made.client.server('a')) {
          assert.equal(one, 'a1');
          break;
        }
        while (made.connection() > 0) await new Promise((resolve) => setImmediate(resolve));
      });

      it('hits only what the rule says, and each change holds at once', async () => {
        const error: FaultRule['fault'] = { error: { code: 'UNAVAILABLE' } };
        const made = await bench();
        const fails = async (metadata = Metadata()): Promise<boolean> => made.client.unary('a', { metadata }).then(() => false, () => true);
        const cases: [Partial<FaultRule>, boolean][] = [
          [{}, true],
          [{ method: 'test.v1.Test/Unary' }, true],
          [{ method: 'test.v1.Test/Other' }, false],
          [{ method: 'test.v1.Test' }, true],
          [{ method: 'test.v1' }, true],
          [{ method: 'test' }, true],
          [{ method: 'tes' }, false],
          [{ method: 'tes*' }, true],
          [{ method: 'test.v1.Test/Un*' }, true],
          [{ instance: 'inst_me' }, true],
          [{ instance: 'inst_you' }, false],
          [{ percentage: 0 }, false],
          [{ percentage: 50 }, false],
          [{ percentage: 51 }, true],
          [{ header: { name: 'x-test' } }, false],
          [{ caller: 'service.other' }, false],
        ];
        for (const [rule, expected] of cases) {
          made.rules.set([{ side, ...rule, fault: error }]);
          assert.equal(await fails(), expected, JSON.stringify(rule));
        }
        made.rules.set([{ side, header: { name: 'x-test', value: 'b' }, fault: error }]);
        assert.equal(await fails(Metadata({ 'x-test': 'a' })), false);
        assert.equal(await fails(Metadata({ 'x-test': ['a', 'b'] })), true);
        made.rules.set([{ side, caller: 'service.me', fault: error }]);
        // The client is this service; at the server, a token has to prove it.
        assert.equal(await fails(), side === 'client');
        assert.equal(await fails(Metadata({ 'x-token': 'service.me' })), true);
        made.rules.set([{ side: side === 'client' ? 'server' : 'client', fault: error }]);
        assert.equal(await fails(), false);
        // The first rule that hits decides.
        made.rules.set([
          { side, percentage: 10, fault: error },
          { side, fault: { error: { code: 'NOT_FOUND' } } },
        ]);
        assert.ok(hasCode(await rejection(made.client.unary('a')), 'not_found.injected_fault'));
        made.rules.set([]);
        assert.equal(await fails(), false);
      });
    });
  }
}

it('spares health, reflection and the contracts of the platform, unless they are named in full', () => {
  const rules = mutableSetting<readonly FaultRule[]>([]);
  const faults = createFaults({ rules, service: 'service.me', instance: 'inst_me' });
  const hits = (method: string | undefined, path: string): boolean => {
    rules.set([{ side: 'client', ...(method !== undefined && { method }), fault: { blackhole: true } }]);
    return faults.clientHit(path, Metadata(), 'inproc://a') !== undefined;
  };
  for (const path of ['/grpc.health.v1.Health/Check', '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', '/talaria.topology.v1.TopologyService/Get']) {
    for (const method of [undefined, '*', 'grpc', 'talaria', 'talaria.topology.v1', 'grpc.health*']) assert.equal(hits(method, path), false, `${method} ${path}`);
    assert.equal(hits(path.slice(1), path), true);
    assert.equal(hits(path.slice(1, path.lastIndexOf('/')), path), true);
  }
});

it('hits calls to one address, if the rule names it', () => {
  const rules = mutableSetting<readonly FaultRule[]>([{ side: 'client', address: '127.0.0.1:4000', fault: { blackhole: true } }]);
  const faults = createFaults({ rules, service: 'service.me', instance: 'inst_me' });
  assert.ok(faults.clientHit('/a.A/B', Metadata(), 'h2c://127.0.0.1:4000'));
  assert.equal(faults.clientHit('/a.A/B', Metadata(), 'h2c://127.0.0.1:40001'), undefined);
  assert.equal(faults.clientHit('/a.A/B', Metadata(), 'h2c://127.0.0.1:14000'), undefined);
});

it('warns once at each change, and its checker fails and lists the rules while any is in force', async () => {
  const warnings: string[] = [];
  const log: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) };
  const rules = mutableSetting<readonly FaultRule[]>([]);
  const faults = createFaults({ rules, service: 'service.me', instance: 'inst_me', log });
  const { signal } = new AbortController();
  assert.deepEqual(warnings, []);
  assert.deepEqual(await faults.checker.check(signal), { rules: 0 });
  assert.ok(!faults.checker.critical);
  rules.set([
    { id: 'slow', side: 'client', method: 'a.A', percentage: 20, fault: { delay: 200 } },
    { side: 'server', caller: 'service.you', fault: { error: { code: 'UNAVAILABLE' } } },
  ]);
  assert.deepEqual(warnings, ['Faults are injected into calls, on purpose: slow: delay of 200 ms for 20% of the calls made here of a.A; rule-2: UNAVAILABLE for 100% of the calls served here of everything from service.you']);
  await faults.serverHit('/a.A/B', Metadata());
  assert.throws(() => faults.checker.check(signal), /on purpose.*slow: delay of 200 ms.*\(0 so far\).*rule-2/);
  rules.set([]);
  assert.equal(warnings[1], 'No faults are injected any more');
  assert.deepEqual(await faults.checker.check(signal), { rules: 0 });
  // Not a word about rules that are for others.
  rules.set([{ side: 'client', instance: 'inst_you', fault: { blackhole: true } }]);
  assert.equal(warnings.length, 2);
});
