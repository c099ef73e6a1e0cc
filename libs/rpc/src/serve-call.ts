import { systemClock } from '@talaria/base';
import { ServiceError, timeout, toWire, unavailable, unimplemented } from '@talaria/errors';
import { ServerError, Status } from 'nice-grpc-common';
import { deadlineReason, hungUpReason, LONGEST_MS } from './deadline.ts';
import type { IncomingCall, ServedMethod } from './transport.ts';

/** The response side of a call that has arrived. */
export interface ResponseSink {
  /** Resolves when the peer has room for the next one, or when the call is over. */
  send(bytes: Uint8Array): Promise<void>;
  /** Ends the call. With a reason its handler still runs: the call's signal aborts and its requests fail with that. */
  end(status: Status, details: string, reason?: DOMException): void;
  /** Ends a call that no handler has seen with UNAVAILABLE, so that its client may make it elsewhere. */
  refuse(details: string): void;
}

/** For methods without a request stream: the request, once it is known to be the only one. */
async function* exactlyOne(path: string, requests: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = requests[Symbol.asyncIterator]();
  const first = await iterator.next();
  // UNIMPLEMENTED as the gRPC specification has it for a wrong number of messages.
  if (first.done) throw unimplemented('request_count', `${path} takes one request and got none`);
  const second = await iterator.next();
  if (!second.done) throw unimplemented('request_count', `${path} takes one request and got more`);
  yield first.value;
}

/** Ends a call with an error and its details. */
function endWith(error: ServiceError, call: Pick<IncomingCall, 'setTrailer'>, sink: Pick<ResponseSink, 'end'>, reason?: DOMException): void {
  const { status, message, trailer } = toWire(error);
  call.setTrailer(trailer);
  sink.end(status, message, reason);
}

/** What a call that a stopping server ends fails with: its client had better make it elsewhere, at once. */
export function moved(): ServiceError {
  return unavailable('moved', 'The server is stopping: begin again elsewhere', { retryAfterMs: 0 });
}

/** Answers a call of a method that nobody serves. */
export function serveUnknown(path: string, call: Pick<IncomingCall, 'setTrailer'>, sink: Pick<ResponseSink, 'end'>): void {
  const contract = path.slice(1, path.lastIndexOf('/'));
  endWith(unimplemented('method', `The server does not implement the method ${path}`, { params: { contract } }), call, sink);
}

/**
 * Answers one call with its method's handler: the same for every transport. The method's own deadline ends the call as the
 * client's would; so does the end of its contract. Never rejects.
 */
export async function serveCall(method: ServedMethod, arrived: IncomingCall, sink: ResponseSink): Promise<void> {
  const { path, deadlineMs, calls } = method;
  const { signal, clock = systemClock } = arrived;
  if (calls?.draining) {
    sink.refuse(`${calls.contract} is not served here any more`);
    return;
  }
  const latest = deadlineMs === undefined ? Infinity : clock.monotonic() + deadlineMs;
  const bounded = latest < (arrived.deadline ?? Infinity);
  const call = { ...arrived, ...(bounded ? { deadline: latest } : {}), requests: method.requestStream ? arrived.requests : exactlyOne(path, arrived.requests) };
  const cancelTimer = bounded && deadlineMs !== undefined ? clock.after(Math.min(deadlineMs, LONGEST_MS), () => endWith(timeout('deadline', `${path} may not take longer than ${deadlineMs} ms`), call, sink, deadlineReason())) : undefined;
  const inFlight = { stop: (): void => endWith(unavailable('contract_removed', `${calls?.contract} is not served here any more`), call, sink, hungUpReason()) };
  const over = (): void => {
    cancelTimer?.();
    signal.removeEventListener('abort', over);
    calls?.ended(inFlight);
  };
  calls?.begun(inFlight);
  // A handler that does not heed its signal may go on for ever; the call is over all the same.
  signal.addEventListener('abort', over, { once: true });
  try {
    const iterator = method.handler(call)[Symbol.asyncIterator]();
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
    else if (error instanceof ServiceError) endWith(error, call, sink);
    else sink.end(Status.UNKNOWN, 'unknown error');
  } finally {
    over();
  }
}
