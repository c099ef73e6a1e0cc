import { propagation, type Context, type TextMapGetter, type TextMapPropagator, type TextMapSetter } from '@opentelemetry/api';
import { CompositePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { formatBaggage, parseBaggage } from '@talaria/context';
import type { Metadata } from 'nice-grpc-common';
import type { PropagatorName } from './settings.ts';

const BAGGAGE = 'baggage';

/**
 * W3C Baggage. OpenTelemetry's own takes up to 180 entries, drops an entry of more than 4 KiB, changes names on their way, and
 * passes on properties that gRPC cannot carry, which would fail the call.
 */
const baggagePropagator: TextMapPropagator = {
  fields: () => [BAGGAGE],
  inject(context, carrier, setter) {
    const baggage = propagation.getBaggage(context);
    const header = baggage ? formatBaggage(baggage) : '';
    if (header !== '') setter.set(carrier, BAGGAGE, header);
  },
  extract(context, carrier, getter) {
    const header = getter.get(carrier, BAGGAGE);
    const baggage = header === undefined ? undefined : parseBaggage(typeof header === 'string' ? header : header.join(','));
    return baggage ? propagation.setBaggage(context, baggage) : context;
  },
};

const fromMetadata: TextMapGetter<Metadata> = {
  keys: (metadata) => [...metadata].map(([key]) => key),
  get(metadata, key) {
    const value = metadata.get(key);
    return typeof value === 'string' ? value : undefined;
  },
};

const toMetadata: TextMapSetter<Metadata> = {
  set: (metadata, key, value) => metadata.set(key, value),
};

/** What reads and writes the standard headers. */
export function createPropagator(names: readonly PropagatorName[]): TextMapPropagator {
  return new CompositePropagator({
    propagators: [
      ...(names.includes('tracecontext') ? [new W3CTraceContextPropagator()] : []),
      ...(names.includes('baggage') ? [baggagePropagator] : []),
    ],
  });
}

/** `context` with the trace and the baggage that came in `metadata`; of baggage, no more than W3C's limits. */
export function extractContext(propagator: TextMapPropagator, context: Context, metadata: Metadata): Context {
  return propagator.extract(context, metadata, fromMetadata);
}

/** Writes the trace and the baggage of `context` into `metadata`. */
export function injectContext(propagator: TextMapPropagator, context: Context, metadata: Metadata): void {
  propagator.inject(context, metadata, toMetadata);
}
