import { propagation, type Baggage, type Context, type TextMapGetter, type TextMapPropagator, type TextMapSetter } from '@opentelemetry/api';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import type { Metadata } from 'nice-grpc-common';
import type { PropagatorName } from './settings.ts';

/** Of the limits of W3C Baggage (64 entries, 8 KiB), OpenTelemetry keeps only the second. Source: https://www.w3.org/TR/baggage/#limits */
const MAX_BAGGAGE_ENTRIES = 64;

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
      ...(names.includes('baggage') ? [new W3CBaggagePropagator()] : []),
    ],
  });
}

function bounded(baggage: Baggage): Baggage {
  const entries = baggage.getAllEntries();
  return entries.length <= MAX_BAGGAGE_ENTRIES ? baggage : propagation.createBaggage(Object.fromEntries(entries.slice(0, MAX_BAGGAGE_ENTRIES)));
}

/** `context` with the trace and the baggage that came in `metadata`; of baggage, no more than W3C's limits. */
export function extractContext(propagator: TextMapPropagator, context: Context, metadata: Metadata): Context {
  const extracted = propagator.extract(context, metadata, fromMetadata);
  const baggage = propagation.getBaggage(extracted);
  return baggage === undefined ? extracted : propagation.setBaggage(extracted, bounded(baggage));
}

/** Writes the trace and the baggage of `context` into `metadata`. */
export function injectContext(propagator: TextMapPropagator, context: Context, metadata: Metadata): void {
  propagator.inject(context, metadata, toMetadata);
}
