import assert from 'node:assert/strict';
import { after, afterEach, describe, it } from 'node:test';
import { hasCode } from '@talaria/errors';
import { createConnector, createServer, grpcTransport, inprocTransport, staticResolver, type Connector, type Server, type ServiceDefinition } from '@talaria/rpc';
import { retryNeverSent } from './retry-never-sent.ts';
import { roundRobin } from './round-robin.ts';

const text = {
  requestSerialize: (value: string) => Buffer.from(value),
  requestDeserialize: (bytes: Uint8Array) => Buffer.from(bytes).toString(),
  responseSerialize: (value: string) => Buffer.from(value),
  responseDeserialize: (bytes: Uint8Array) => Buffer.from(bytes).toString(),
  options: {},
};
const definition = {
  unary: { ...text, path: '/test.Test/Unary', requestStream: false, responseStream: false },
  both: { ...text, path: '/test.Test/Both', requestStream: true, responseStream: true },
} as const satisfies ServiceDefinition;

async function* stream(...messages: string[]): AsyncGenerator<string, void, undefined> {
  yield* messages;
}

for (const { name, transport, address, absent } of [
  // Ports 1 to 3 of loopback: nothing listens there.
  { name: 'h2c', transport: grpcTransport(), address: 'h2c://127.0.0.1:0', absent: ['h2c://127.0.0.1:1', 'h2c://127.0.0.1:2', 'h2c://127.0.0.1:3'] },
  { name: 'inproc', transport: inprocTransport(), address: 'inproc://test:0', absent: ['inproc://x', 'inproc://y', 'inproc://z'] },
]) {
  describe(`${name}: calls that were never sent`, () => {
    const servers: Server[] = [];
    const connectors: Connector[] = [];
    const release = async (): Promise<void> => {
      await Promise.all(connectors.splice(0).map((connector) => connector.close()));
      await Promise.all(servers.splice(0).map((server) => server.drain(0)));
    };
    afterEach(release);
    after(release);

    const start = async (answer: () => string): Promise<{ server: Server; at: string }> => {
      const server = createServer({ transports: [transport] });
      servers.push(server);
      server.add(definition, {
        unary: async () => answer(),
        async *both(requests) {
          for await (const request of requests) yield request + answer();
        },
      });
      return { server, at: await server.listen(address) };
    };
    const clientOf = (addresses: readonly string[], maxAttempts?: number) => {
      const retry = retryNeverSent(maxAttempts === undefined ? {} : { maxAttempts });
      const connector = createConnector({ resolver: staticResolver({ 'test.Test': addresses }), transports: [transport], picker: roundRobin, retry });
      connectors.push(connector);
      return connector.client(definition);
    };
    const all = async (source: AsyncIterable<string>): Promise<string> => {
      let got = '';
      for await (const one of source) got += one;
      return got;
    };

    it('go to another instance, streams too, and no call fails', async () => {
      const { at } = await start(() => '!');
      for (let time = 0; time < 5; time++) {
        const client = clientOf([...absent.slice(0, 2), at]);
        assert.equal(await client.unary('a'), '!');
        const streaming = clientOf([...absent.slice(0, 2), at]);
        assert.equal(await all(streaming.both(stream('a', 'b'))), 'a!b!');
      }
    });

    it('go on from an instance that stops', async () => {
      const one = await start(() => '1');
      const two = await start(() => '2');
      const client = clientOf([one.at, two.at]);
      const seen = new Set<string>();
      for (let call = 0; call < 10; call++) seen.add(await client.unary('a'));
      assert.deepEqual([...seen].sort(), ['1', '2']);
      const stopping = one.server.drain(1_000);
      for (let call = 0; call < 10; call++) assert.equal(await client.unary('a'), '2');
      await stopping;
      for (let call = 0; call < 10; call++) assert.equal(await client.unary('a'), '2');
    });

    it('are unavailable when every instance was tried, and after the greatest number of attempts', async () => {
      await assert.rejects(clientOf(absent).unary('a'), (error) => hasCode(error, 'unavailable'));
      await assert.rejects(all(clientOf(absent).both(stream('a'))), (error) => hasCode(error, 'unavailable'));
      const { at } = await start(() => '!');
      const outcomes = new Set<string>();
      for (let time = 0; time < 20; time++) {
        await clientOf([absent[0] as string, at], 1).unary('a').then(
          () => outcomes.add('answered'),
          () => outcomes.add('failed'),
        );
      }
      assert.ok(outcomes.has('failed'), 'one attempt is one attempt');
    });

    it('are all that is tried again: what a handler said stays said', async () => {
      let calls = 0;
      const failing = (): string => {
        calls++;
        throw new Error('half done');
      };
      const one = await start(failing);
      const two = await start(failing);
      await assert.rejects(clientOf([one.at, two.at]).unary('a'), (error) => hasCode(error, 'internal_service'));
      assert.equal(calls, 1);
    });

    it('are not tried again when their own side gave up', async () => {
      const client = clientOf(absent);
      await assert.rejects(client.unary('a', { signal: AbortSignal.abort() }), (error) => hasCode(error, 'cancelled'));
      await assert.rejects(client.unary('a', { timeoutMs: 0 }), (error) => hasCode(error, 'timeout'));
    });
  });
}
