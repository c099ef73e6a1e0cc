import { context as otel, trace } from '@opentelemetry/api';
import type { LogFields } from '@talaria/base';
import { callIn } from '@talaria/context';

/** For a logger's `ambient`: the trace, span and request that the running code belongs to. */
export function ambientFields(): LogFields {
  const context = otel.active();
  const span = trace.getSpanContext(context);
  const { requestId } = callIn(context);
  return {
    ...(span ? { trace_id: span.traceId, span_id: span.spanId } : {}),
    ...(requestId === undefined ? {} : { request_id: requestId }),
  };
}
