import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { createServer } from '../server.ts';
import { grpcTransport } from './grpc-transport.ts';
import { applyTimeoutPatch, boundedTimeout } from './timeout-patch.ts';

it('finds the internals of grpc-js that it changes', () => {
  assert.equal(applyTimeoutPatch(), true);
});

it('bounds what is too long and leaves the rest alone', () => {
  assert.deepEqual(['597H', '99999999H', '2147484S', '1000H'].map(boundedTimeout), Array.from({ length: 4 }, () => '2000000S'));
  for (const header of ['1H', '555H', '99999999m', '99999999n', '5S', 'nonsense', '123456789H']) assert.equal(boundedTimeout(header), header);
});

it('serves a call whose client waits for months', async () => {
  const server = createServer({ transports: [grpcTransport()] });
  const bytes = (value: Uint8Array): Buffer => Buffer.from(value);
  const method = { path: '/test.v1.Test/Echo', requestStream: false, responseStream: false, requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes, options: {} } as const;
  server.add({ echo: method }, { echo: async (request: Buffer) => request });
  const client = new Client(new URL(await server.listen('h2c://127.0.0.1:0')).host, credentials.createInsecure());
  try {
    for (const timeout of ['597H', '1000H', '99999999M', '2147484S']) {
      const metadata = new Metadata();
      metadata.set('grpc-timeout', timeout);
      const answer = await new Promise<Buffer | undefined>((resolve, reject) => {
        client.makeUnaryRequest(method.path, bytes, bytes, Buffer.from('hello'), metadata, (error, value) => (error ? reject(error) : resolve(value)));
      });
      assert.equal(answer?.toString(), 'hello', timeout);
    }
  } finally {
    client.close();
    await server.drain(1_000);
  }
});
