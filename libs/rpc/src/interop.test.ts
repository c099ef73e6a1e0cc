import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createChannel, createClient, createServer as createNiceServer, type ServiceDefinition } from 'nice-grpc';
import { ClientError, Metadata, ServerError, Status } from 'nice-grpc-common';
import { hasCode, notFound } from '@talaria/errors';
import { createConnector } from './connector.ts';
import { grpcTransport } from './grpc/grpc-transport.ts';
import { createServer } from './server.ts';
import { staticResolver } from './static-resolver.ts';

interface Message {
  readonly text: string;
}

const json = {
  requestSerialize: (value: Message) => Buffer.from(JSON.stringify(value)),
  requestDeserialize: (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()) as Message,
  responseSerialize: (value: Message) => Buffer.from(JSON.stringify(value)),
  responseDeserialize: (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()) as Message,
  options: {},
};

const definition = {
  unary: { ...json, path: '/test.Test/Unary', requestStream: false, responseStream: false },
  up: { ...json, path: '/test.Test/Up', requestStream: true, responseStream: false },
  down: { ...json, path: '/test.Test/Down', requestStream: false, responseStream: true },
  both: { ...json, path: '/test.Test/Both', requestStream: true, responseStream: true },
} as const satisfies ServiceDefinition;

async function* stream(...messages: string[]): AsyncGenerator<Message, void, undefined> {
  for (const text of messages) yield { text };
}

const all = async (source: AsyncIterable<Message>): Promise<string> => {
  let got = '';
  for await (const { text } of source) got += text;
  return got;
};

const echo = {
  unary: async (request: Message) => {
    if (request.text === 'missing') throw notFound('thing', 'none');
    return request;
  },
  up: async (request: AsyncIterable<Message>) => ({ text: await all(request) }),
  down: ({ text }: Message) => stream(...text),
  both: (request: AsyncIterable<Message>) => request,
};

describe('h2c: with bare nice-grpc', () => {
  it('its client calls our server', async () => {
    const server = createServer({ transports: [grpcTransport()] });
    server.add(definition, echo);
    const channel = createChannel((await server.listen('h2c://127.0.0.1:0')).replace('h2c', 'http'));
    const client = createClient(definition, channel);
    assert.deepEqual(await client.unary({ text: 'a' }), { text: 'a' });
    assert.deepEqual(await client.up(stream('a', 'b')), { text: 'ab' });
    assert.equal(await all(client.down({ text: 'abc' })), 'abc');
    assert.equal(await all(client.both(stream('x', 'y'))), 'xy');
    await assert.rejects(client.unary({ text: 'missing' }), (error) => error instanceof ClientError && error.code === Status.NOT_FOUND);
    // Metadata `grpc-timeout` is how such a client puts a deadline on the wire.
    await assert.rejects(client.unary({ text: 'a' }, { metadata: Metadata({ 'grpc-timeout': '0m' }) }), (error) => error instanceof ClientError && error.code === Status.DEADLINE_EXCEEDED);
    channel.close();
    await server.drain(0);
  });

  it('our client calls its server', async () => {
    const server = createNiceServer();
    server.add(definition, {
      ...echo,
      unary: async ({ text }, { signal }) => {
        if (text !== 'hang') throw new ServerError(Status.ABORTED, text);
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        throw new ServerError(Status.CANCELLED, 'as the server saw it');
      },
    });
    const port = await server.listen('127.0.0.1:0');
    const connector = createConnector({
      resolver: staticResolver({ 'test.Test': [`h2c://127.0.0.1:${port}`] }),
      transports: [grpcTransport()],
      picker: () => ({ pick: ([candidate]) => candidate ?? assert.fail('no candidate') }),
    });
    const client = connector.client(definition);
    assert.deepEqual(await client.up(stream('a', 'b')), { text: 'ab' });
    assert.equal(await all(client.down({ text: 'abc' })), 'abc');
    assert.equal(await all(client.both(stream('x', 'y'))), 'xy');
    await assert.rejects(client.unary({ text: 'a' }), (error) => hasCode(error, 'conflict'));
    await assert.rejects(client.unary({ text: 'hang' }, { timeoutMs: 100 }), (error) => hasCode(error, 'timeout'));
    await connector.close();
    await server.shutdown();
  });
});
