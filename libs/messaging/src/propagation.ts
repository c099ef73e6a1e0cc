import { context, propagation, ROOT_CONTEXT, type Context } from '@opentelemetry/api';
import type { Envelope } from './envelope.ts';

/** The trace and baggage of the running code, as an envelope carries them. */
export function capturedContext(): Pick<Envelope, 'traceparent' | 'baggage'> {
  const carrier: { traceparent?: string; baggage?: string } = {};
  propagation.inject(context.active(), carrier);
  const { traceparent, baggage } = carrier;
  return { ...(traceparent === undefined ? {} : { traceparent }), ...(baggage === undefined ? {} : { baggage }) };
}

/**
 * Runs `fn` as part of the trace that caused an event, for what is done later on its behalf, such as a delivery that waits its
 * turn. Without a trace `fn` begins one of its own.
 */
export function continueTrace<T>({ traceparent }: Pick<Envelope, 'traceparent'>, fn: () => T): T {
  return context.with(propagation.extract(context.active(), { traceparent }), fn);
}

/** A context that continues the trace and baggage of what caused an event. */
export function contextOf({ traceparent, baggage }: Envelope): Context {
  return propagation.extract(ROOT_CONTEXT, { traceparent, baggage });
}
