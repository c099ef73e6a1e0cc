import { context as otel, SpanKind, trace, type TextMapPropagator, type Tracer } from '@opentelemetry/api';
import { currentCall } from '@talaria/context';
import { nextIn } from '@talaria/rpc';
import { Metadata, Status, type CallOptions, type ClientMiddleware, type ClientMiddlewareCall } from 'nice-grpc-common';
import { injectContext } from './propagation.ts';
import { endSpan, methodFacts, statusOf } from './rpc-attributes.ts';
import { REQUEST_ID_KEY } from './server-middleware.ts';

/** Client middleware: the CLIENT span, and the headers that carry trace, baggage and request id on. */
export function telemetryClientMiddleware({ tracer, propagator }: { readonly tracer: Tracer; readonly propagator: TextMapPropagator }): ClientMiddleware {
  return async function* telemetry<Request, Response>(call: ClientMiddlewareCall<Request, Response>, options: CallOptions) {
    const facts = methodFacts(call.method.path);
    const parent = otel.active();
    const span = tracer.startSpan(facts.name, { kind: SpanKind.CLIENT, attributes: facts.attributes }, parent);
    const own = trace.setSpan(parent, span);
    const metadata = Metadata(options.metadata);
    injectContext(propagator, own, metadata);
    const { requestId } = currentCall();
    if (requestId !== undefined && !metadata.has(REQUEST_ID_KEY)) metadata.set(REQUEST_ID_KEY, requestId);

    let over = false;
    const finish = (status: Status, error?: unknown): void => {
      if (over) return;
      over = true;
      endSpan(span, status, status !== Status.OK, error);
    };
    try {
      const result = yield* nextIn(own, call, call.request, { ...options, metadata });
      finish(Status.OK);
      return result;
    } catch (error) {
      finish(otel.with(own, () => statusOf(error)), error);
      throw error;
    } finally {
      // Whoever reads the responses stopped doing so.
      finish(Status.CANCELLED);
    }
  };
}
