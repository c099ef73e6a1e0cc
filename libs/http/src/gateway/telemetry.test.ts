import assert from 'node:assert/strict';
import { test } from 'node:test';
import { context, INVALID_SPAN_CONTEXT, propagation, ProxyTracerProvider, ROOT_CONTEXT, SpanKind, trace, type Context, type Span, type SpanContext, type SpanOptions, type Tracer } from '@opentelemetry/api';
import { everythingFrom, startLibrary } from '../testing/library.ts';

interface Seen {
  name: string;
  kind: SpanKind | undefined;
  parent: SpanContext;
  attributes: Record<string, unknown>;
}
const seen: Seen[] = [];
const ended = Promise.withResolvers<void>();

/** As much of a tracer as it takes to see what the gateway tells one. */
function startSpan(name: string, options: SpanOptions = {}, parent: Context = ROOT_CONTEXT): Span {
  const above = trace.getSpanContext(parent) ?? INVALID_SPAN_CONTEXT;
  const one: Seen = { name, kind: options.kind, parent: above, attributes: { ...options.attributes } };
  if (options.kind === SpanKind.SERVER) seen.push(one);
  const span = {
    spanContext: () => ({ traceId: above.traceId, spanId: 'b7ad6b7169203331', traceFlags: 1 }),
    setAttribute: (key: string, value: unknown) => ((one.attributes[key] = value), span),
    setStatus: () => span,
    updateName: (next: string) => ((one.name = next), span),
    end: () => ended.resolve(),
  };
  return span as unknown as Span;
}

test('a request is a SERVER span after its route, in the trace of the client, with the baggage that is allowed', async () => {
  trace.setGlobalTracerProvider(Object.assign(new ProxyTracerProvider(), { getTracer: () => ({ startSpan }) as unknown as Tracer }));
  const remote = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203330', traceFlags: 1, isRemote: true };
  propagation.setGlobalPropagator({
    inject: () => {},
    extract: (base, carrier) => {
      const headers = carrier as Record<string, string>;
      const withTrace = headers['traceparent'] ? trace.setSpanContext(base, remote) : base;
      return headers['baggage'] ? propagation.setBaggage(withTrace, propagation.createBaggage({ allowed: { value: '1' }, other: { value: '2' } })) : withTrace;
    },
    fields: () => [],
  });
  let atClient: [string, string][] = [];
  const library = await startLibrary({
    allowedBaggage: ['allowed'],
    client: () => ({
      look: () => {
        atClient = (propagation.getBaggage(context.active())?.getAllEntries() ?? []).map(([key, { value }]) => [key, value]);
        return Promise.resolve(everythingFrom({ id: trace.getSpanContext(context.active())?.traceId ?? '' }));
      },
    }),
  });
  const response = await library.fetch('/shelves/7/everything?small=1', { headers: { traceparent: 'x', baggage: 'x' } });
  assert.equal(((await response.json()) as { id: string }).id, remote.traceId);
  await ended.promise;
  const [span] = seen;
  assert.ok(span);
  assert.deepEqual([span.name, span.kind, span.parent.spanId], ['GET /shelves/{shelf.id}/everything', SpanKind.SERVER, remote.spanId]);
  assert.deepEqual(
    { ...span.attributes },
    { 'http.request.method': 'GET', 'url.path': '/shelves/7/everything', 'url.scheme': 'http', 'network.protocol.version': '1.1', 'http.route': '/shelves/{shelf.id}/everything', 'http.response.status_code': 200 },
  );
  assert.deepEqual(atClient, [['allowed', '1']]);
  const missing = (await (await library.fetch('/nothing', { headers: { traceparent: 'x' } })).json()) as { trace_id: string };
  assert.equal(missing.trace_id, remote.traceId);
  await library.close();
});
