import type { ServiceDefinition } from 'nice-grpc';
import type { CallContext } from 'nice-grpc-common';

/** Codec of both directions. */
export const json = {
  requestSerialize: (value: unknown) => Buffer.from(JSON.stringify(value)),
  requestDeserialize: (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()) as string,
  responseSerialize: (value: unknown) => Buffer.from(JSON.stringify(value)),
  responseDeserialize: (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()) as string,
  options: {},
};

/** A contract without generated code, of strings. */
export const TestDefinition = {
  unary: { ...json, path: '/test.Test/Unary', requestStream: false, responseStream: false },
  up: { ...json, path: '/test.Test/Up', requestStream: true, responseStream: false },
  down: { ...json, path: '/test.Test/Down', requestStream: false, responseStream: true },
  both: { ...json, path: '/test.Test/Both', requestStream: true, responseStream: true },
} as const satisfies ServiceDefinition;

/** Its implementations. */
export type Handlers = {
  unary(request: string, context: CallContext): Promise<string>;
  up(request: AsyncIterable<string>, context: CallContext): Promise<string>;
  down(request: string, context: CallContext): AsyncIterable<string>;
  both(request: AsyncIterable<string>, context: CallContext): AsyncIterable<string>;
};

/** Echoes. */
export const handlers: Handlers = {
  unary: (request) => Promise.resolve(request),
  async up(request) {
    let all = '';
    for await (const one of request) all += one;
    return all;
  },
  async *down(request) {
    yield* request;
  },
  async *both(request) {
    yield* request;
  },
};
