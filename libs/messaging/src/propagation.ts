import { context, propagation, ROOT_CONTEXT, type Context } from '@opentelemetry/api';
import type { Envelope } from './envelope.ts';

/** The trace and baggage of the running code, as an envelope carries them. */
export function capturedContext(): Pick<Envelope, 'traceparent' | 'baggage'> {
  const carrier: { traceparent?: string; baggage?: string } = {};
  propagation.inject(context.active(), carrier);
  const { traceparent, baggage } = carrier;
  return { ...(traceparent === undefined ? {} : { traceparent }), ...(baggage === undefined ? {} : { baggage }) };
}

/** A context that continues the trace and baggage of what caused an event. */
export function contextOf({ traceparent, baggage }: Envelope): Context {
  return propagation.extract(ROOT_CONTEXT, { traceparent, baggage });
}
