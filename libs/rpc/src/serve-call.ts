import { ServerError, Status } from 'nice-grpc-common';
import type { IncomingCall, ServedMethod } from './transport.ts';

/** The response side of a call that has arrived. */
export interface ResponseSink {
  /** Resolves when the peer has room for the next one, or when the call is over. */
  send(bytes: Uint8Array): Promise<void>;
  /** Ends the call. */
  end(status: Status, details: string): void;
}

/** For methods without a request stream: the request, once it is known to be the only one. */
async function* exactlyOne(path: string, requests: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = requests[Symbol.asyncIterator]();
  const first = await iterator.next();
  // UNIMPLEMENTED as the gRPC specification has it for a wrong number of messages.
  if (first.done) throw new ServerError(Status.UNIMPLEMENTED, `${path} takes one request and got none`);
  const second = await iterator.next();
  if (!second.done) throw new ServerError(Status.UNIMPLEMENTED, `${path} takes one request and got more`);
  yield first.value;
}

/** Answers one call with its method's handler: the same for every transport. Never rejects. */
export async function serveCall(method: ServedMethod, call: IncomingCall, sink: ResponseSink): Promise<void> {
  const { signal } = call;
  const incoming = method.requestStream ? call : { ...call, requests: exactlyOne(method.path, call.requests) };
  try {
    const iterator = method.handler(incoming)[Symbol.asyncIterator]();
    for (;;) {
      const step = await iterator.next();
      if (!step.done && !signal.aborted) await sink.send(step.value);
      if (signal.aborted) {
        // Not awaited: a generator that does not heed its signal may take for ever.
        if (!step.done) void Promise.resolve(iterator.return?.()).catch(() => {});
        return;
      }
      if (step.done) break;
    }
    sink.end(Status.OK, '');
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof ServerError) sink.end(error.code, error.details);
    else sink.end(Status.UNKNOWN, 'unknown error');
  }
}
