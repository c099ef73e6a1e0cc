import { after, afterEach } from 'node:test';
import assert from 'node:assert/strict';
import { Metadata } from 'nice-grpc-common';
import { TransportError } from '../transport-error.ts';
import type { CallHandler, Connection, ConnectOptions, IncomingCall, Listener, ListenOptions, Transport, WireCallOptions, WireMethod } from '../transport.ts';
import { until } from './until.ts';

/** What the suite needs to know of an implementation of the seam. */
export interface TransportHarness {
  /** Shown in the names of the tests. */
  readonly name: string;
  create(): Transport;
  /** Where a listener takes a free place: `h2c://127.0.0.1:0`. */
  readonly address: string;
  /** Where nobody listens. */
  readonly absent: string;
}

/** Makes listeners and connections for a test, and releases them after it, checking that no call leaked. */
export interface TestBench {
  readonly transport: Transport;
  listen(options?: ListenOptions): Promise<Listener>;
  connect(address: string, options?: ConnectOptions): Connection;
  /** A listener with one method, and a connection to it. */
  serve(method: WireMethod, handler: CallHandler, options?: ListenOptions & ConnectOptions): Promise<{ listener: Listener; connection: Connection }>;
}

/** A bench for the tests of the `describe` that calls it. */
export function testBench(harness: TransportHarness): TestBench {
  const transport = harness.create();
  const listeners: Listener[] = [];
  const connections: Connection[] = [];
  const release = async (): Promise<void> => {
    for (const connection of connections) await until(`${harness.name}: no call in flight on ${connection.address}`, () => connection.inFlight === 0);
    await Promise.all(connections.splice(0).map((connection) => connection.close()));
    await Promise.all(listeners.splice(0).map((listener) => listener.drain(0)));
  };
  afterEach(release);
  after(release);
  const bench: TestBench = {
    transport,
    async listen(options) {
      const listener = await transport.listen(harness.address, options);
      listeners.push(listener);
      return listener;
    },
    connect(address, options) {
      const connection = transport.connect(address, options);
      connections.push(connection);
      return connection;
    },
    async serve(method, handler, options) {
      const listener = await bench.listen(options);
      listener.add('test.Test', [{ ...method, handler }]);
      return { listener, connection: bench.connect(listener.address, options) };
    },
  };
  return bench;
}

/** Call options with nothing in them but these. */
export function wire(options: Partial<WireCallOptions> = {}): WireCallOptions {
  return { metadata: Metadata(), ...options };
}

/** The error of a call that has to fail with a `TransportError`. */
export async function failure(call: Promise<unknown>): Promise<TransportError> {
  const error = await call.then(
    (value) => assert.fail(`the call succeeded: ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof TransportError, `no TransportError: ${String(error)}`);
  return error;
}

/** A handler that waits until its call is aborted, and what is seen of it. */
export function hangingHandler(before?: (call: IncomingCall) => AsyncIterable<Uint8Array>): { handler: CallHandler; readonly started: number; readonly reasons: string[] } {
  const seen = { started: 0, reasons: [] as string[] };
  return {
    get started() {
      return seen.started;
    },
    reasons: seen.reasons,
    async *handler(call) {
      if (before) yield* before(call);
      seen.started++;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          seen.reasons.push((call.signal.reason as Error).name);
          resolve();
        };
        if (call.signal.aborted) done();
        else call.signal.addEventListener('abort', done, { once: true });
      });
    },
  };
}
