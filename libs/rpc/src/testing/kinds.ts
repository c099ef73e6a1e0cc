import type { Connection, WireCallOptions, WireMethod } from '../transport.ts';

/** The four kinds of methods. */
export const KINDS = [
  { name: 'unary', requestStream: false, responseStream: false },
  { name: 'client streaming', requestStream: true, responseStream: false },
  { name: 'server streaming', requestStream: false, responseStream: true },
  { name: 'bidirectional', requestStream: true, responseStream: true },
] as const;

/** One of them. */
export type Kind = (typeof KINDS)[number];

/** A method of the contract `test.Test`. */
export function wireMethod(kind: Pick<Kind, 'requestStream' | 'responseStream'>, name = 'Method'): WireMethod {
  return { path: `/test.Test/${name}`, requestStream: kind.requestStream, responseStream: kind.responseStream };
}

/** A message. */
export const bytes = (text: string): Uint8Array => Buffer.from(text);
/** What a message says. */
export const text = (message: Uint8Array): string => Buffer.from(message).toString();

/** Makes a call of any kind, and answers all its responses. */
export async function callAll(connection: Connection, method: WireMethod, requests: AsyncIterable<Uint8Array> | readonly Uint8Array[], options: WireCallOptions): Promise<string[]> {
  const source: AsyncIterable<Uint8Array> = Symbol.asyncIterator in requests ? requests : streamOf(requests);
  if (!method.requestStream && !method.responseStream) {
    for await (const request of source) return [text(await connection.unary(method, request, options))];
  }
  const responses: string[] = [];
  for await (const response of connection.stream(method, source, options)) responses.push(text(response));
  return responses;
}

/** A stream of these. */
export async function* streamOf(messages: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  yield* messages;
}
