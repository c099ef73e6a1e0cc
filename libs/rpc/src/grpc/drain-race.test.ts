import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { Metadata } from 'nice-grpc-common';
import { TransportError } from '../transport-error.ts';
import type { ServedMethod } from '../transport.ts';
import { grpcTransport } from './grpc-transport.ts';

const echo: ServedMethod = {
  path: '/drain.v1.Drain/Echo',
  requestStream: false,
  responseStream: false,
  async *handler(call) {
    for await (const request of call.requests) yield request;
  },
};

test('a call that meets a listener as it begins to drain is answered or refused: nobody has to fear that it was executed', { timeout: 60_000 }, async () => {
  const outcomes: string[] = [];
  for (let round = 0; round < 60; round++) {
    const transport = grpcTransport();
    const listener = await transport.listen('h2c://127.0.0.1:0');
    listener.add('drain.v1.Drain', [echo]);
    const connection = transport.connect(listener.address);
    const call = (): Promise<Uint8Array> => connection.unary(echo, Buffer.from('a'), { metadata: Metadata() });
    await call();
    // Nothing else is in flight, so that the drain would be over at once; the request is somewhere on its way.
    const one = (): Promise<string> => call().then(() => 'answered', (error: unknown) => (error instanceof TransportError ? error.outcome : String(error)));
    const made = [one()];
    for (let turns = 0; turns < round % 6; turns++) await turn();
    const drained = listener.drain(2_000);
    for (let turns = 0; turns < 6; turns++, await turn()) made.push(one());
    outcomes.push(...(await Promise.all(made)));
    await drained;
    await connection.close();
  }
  assert.deepEqual([...new Set(outcomes)].filter((outcome) => !['answered', 'refused', 'never_sent'].includes(outcome)), []);
});
