import { context as otel, ROOT_CONTEXT, type Context } from '@opentelemetry/api';
import type { Clock, Logger } from '@talaria/base';
import { withCall } from '@talaria/context';
import { badRequest } from '@talaria/errors';
import { Metadata, type CallContext, type ServerMiddleware } from 'nice-grpc-common';
import { serverChain, singleResponse, type Step } from './chain.ts';
import type { ContractMethod } from './contract.ts';
import { isEmptyMetadata } from './copy-metadata.ts';
import { deadlineReason, onClock, watchDeadline } from './deadline.ts';
import { outgoingError } from './server-errors.ts';
import type { CallHandler } from './transport.ts';

/** One for all calls: making one costs as much as the rest of a call, for its stack. */
const OVER = new DOMException('The call is over', 'AbortError');

/** A function of an implementation. */
export type HandlerFunction = (request: unknown, context: CallContext) => unknown;

/** What a handler is wrapped in. */
export interface ServeOptions {
  /** The same array until it changes. */
  readonly middleware: () => readonly ServerMiddleware[];
  readonly log: Logger;
  /** What the deadlines of its calls are measured by. Default: the client's clock where that is known, else the time of this machine. */
  readonly clock?: Clock | undefined;
}

function decode(method: ContractMethod, bytes: Uint8Array): unknown {
  try {
    return method.definition.requestDeserialize(bytes) as unknown;
  } catch (cause) {
    throw badRequest('malformed', `A request of ${method.path} is not a valid message`, { cause });
  }
}

async function* decodeAll(method: ContractMethod, requests: AsyncIterable<Uint8Array>): AsyncGenerator<unknown, void, undefined> {
  for await (const bytes of requests) yield decode(method, bytes);
}

async function decodeOne(method: ContractMethod, requests: AsyncIterable<Uint8Array>): Promise<unknown> {
  const first = await requests[Symbol.asyncIterator]().next();
  if (first.done) throw badRequest('malformed', `A call of ${method.path} came without a request`);
  return decode(method, first.value);
}

/** The innermost step: the handler itself. */
function handlerStep(method: ContractMethod, handler: HandlerFunction): Step<CallContext> {
  if (!method.responseStream) {

    return async function* (request, context) {
      const response = await handler(request, context);
      if (response === undefined || response === null) throw new Error(`The handler of ${method.path} returned nothing; it has to return a response`);
      return response;
    };
  }
  return async function* (request, context) {
    yield* handler(request, context) as AsyncIterable<unknown>;
  };
}

/** Yields each response of a streaming step, every pull in the call's own context. */
async function* pullIn(context: Context, start: () => AsyncGenerator<unknown, unknown, undefined>): AsyncGenerator<unknown, void, undefined> {
  const steps = otel.with(context, start);
  let finished = false;
  try {
    for (;;) {
      const step = await otel.with(context, () => steps.next());
      if (step.done) {
        finished = true;
        return;
      }
      yield step.value;
    }
  } finally {
    // Not awaited: `return()` of a generator hangs while a `next()` is pending.
    if (!finished) void otel.with(context, () => steps.return(undefined)).catch(() => {});
  }
}

/** What a transport gets for one method: context, errors, middleware and codec around its handler. */
export function callHandler(method: ContractMethod, handler: HandlerFunction, options: ServeOptions): CallHandler {
  const { log } = options;
  const last = handlerStep(method, handler);
  let middleware = options.middleware();
  let steps = serverChain(method, middleware, last);

  return async function* (call) {
    const now = options.middleware();
    if (now !== middleware) steps = serverChain(method, (middleware = now), last);
    const walk = steps;
    const scope = new AbortController();
    const { signal } = scope;
    const { leaving } = call;
    const onAbort = (): void => scope.abort(call.signal.reason);
    call.signal.addEventListener('abort', onAbort, { once: true });
    const header = Metadata();
    const trailer = Metadata();
    let headerSent = false;
    const sendHeader = (): void => {
      if (headerSent) return;
      headerSent = true;
      call.sendHeader(header);
    };
    const sendHeaderIfAny = (): void => {
      if (!headerSent && !isEmptyMetadata(header)) sendHeader();
    };
    const clock = options.clock ?? call.clock;
    const deadline = call.deadline === undefined ? undefined : onClock(call.deadline, call.clock, clock);
    const cancelWatch = clock === call.clock ? undefined : watchDeadline({ deadline, clock }, () => scope.abort(deadlineReason()));
    const context = withCall(ROOT_CONTEXT, clock ? { deadline, signal, leaving, clock } : { deadline, signal, leaving });
    const callContext: CallContext = { metadata: call.metadata, peer: call.peer.address, header, trailer, sendHeader, signal };
    try {
      const request = method.requestStream ? decodeAll(method, call.requests) : await decodeOne(method, call.requests);
      signal.throwIfAborted();
      const run = (): AsyncGenerator<unknown, unknown, undefined> => walk(request, callContext);
      if (method.responseStream) {
        for await (const response of pullIn(context, run)) {
          sendHeaderIfAny();
          yield method.definition.responseSerialize(response);
        }
      } else {
        const response = await otel.with(context, () => singleResponse(method, run()));
        sendHeaderIfAny();
        yield method.definition.responseSerialize(response);
      }
      sendHeaderIfAny();
      call.setTrailer(trailer);
    } catch (cause) {
      const { error, trailer: all } = outgoingError(cause, method.path, trailer, log);
      sendHeaderIfAny();
      call.setTrailer(all);
      throw error;
    } finally {
      call.signal.removeEventListener('abort', onAbort);
      cancelWatch?.();
      scope.abort(OVER);
    }
  };
}
