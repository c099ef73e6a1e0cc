import { context as otel, SpanKind, trace, type TextMapPropagator, type Tracer } from '@opentelemetry/api';
import { newId, type Logger } from '@talaria/base';
import { callIn, withCall } from '@talaria/context';
import { publicError } from '@talaria/errors';
import { nextIn } from '@talaria/rpc';
import { Status, type CallContext, type Metadata, type ServerMiddleware, type ServerMiddlewareCall } from 'nice-grpc-common';
import { extractContext } from './propagation.ts';
import { abortStatus, endSpan, isServerFault, isUnforeseen, methodFacts, statusOf } from './rpc-attributes.ts';

/** The header that names a request across all services. */
export const REQUEST_ID_KEY = 'x-request-id';

/** What callers may name a request: it ends up in logs and headers. */
const REQUEST_ID = /^[\w.:/+=@-]{1,128}$/;

function requestIdOf(metadata: Metadata): string {
  const sent = metadata.get(REQUEST_ID_KEY);
  return typeof sent === 'string' && REQUEST_ID.test(sent) ? sent : newId('req');
}

/** Server middleware: the SERVER span, the trace, baggage and request id of the call context, and one log line a call. */
export function telemetryServerMiddleware({ tracer, propagator, log }: { readonly tracer: Tracer; readonly propagator: TextMapPropagator; readonly log: Logger }): ServerMiddleware {
  return async function* telemetry<Request, Response>(call: ServerMiddlewareCall<Request, Response>, context: CallContext) {
    const facts = methodFacts(call.method.path);
    if (facts.infrastructure) return yield* call.next(call.request, context);

    const startedAt = performance.now();
    const parent = extractContext(propagator, otel.active(), context.metadata);
    const span = tracer.startSpan(facts.name, { kind: SpanKind.SERVER, attributes: facts.attributes }, parent);
    const own = withCall(trace.setSpan(parent, span), { requestId: requestIdOf(context.metadata) });

    let over = false;
    const finish = (status: Status, error?: unknown): void => {
      if (over) return;
      over = true;
      context.signal.removeEventListener('abort', onAbort);
      const failed = isServerFault(status);
      endSpan(span, status, failed, error);
      // What callers did wrong is their log's business. A stack helps only where our own code failed.
      const ours = status === Status.UNKNOWN || status === Status.INTERNAL || status === Status.DATA_LOSS;
      const fields = { method: facts.name, status: Status[status], duration_ms: Math.round((performance.now() - startedAt) * 100) / 100 };
      const why = ours ? { err: error } : error instanceof Error ? { error: error.message } : {};
      otel.with(own, () => log[ours ? 'error' : failed ? 'info' : 'debug']('call', { ...fields, ...why }));
    };
    // A handler that hangs on never comes back here; its span ends with the call all the same.
    const onAbort = (): void => finish(abortStatus(callIn(own)));
    context.signal.addEventListener('abort', onAbort, { once: true });

    try {
      const result = yield* nextIn(own, call, call.request, context);
      finish(Status.OK);
      return result;
    } catch (error) {
      const status = otel.with(own, () => statusOf(error));
      finish(status, error);
      // Logged here, where the trace is known: as a ServiceError it is not logged once more on its way out.
      throw isUnforeseen(error) ? publicError(error) : error;
    } finally {
      // Whoever reads the responses stopped doing so.
      finish(Status.CANCELLED);
    }
  };
}
