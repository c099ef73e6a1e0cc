import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSpanContextValid, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';
import { silentLogger } from '@talaria/base';
import '@talaria/context';
import { idTracer } from './id-tracer.ts';
import { telemetrySettings } from './settings.ts';

const tracerFor = (env: Record<string, string>) => idTracer(telemetrySettings(env, silentLogger));

test('spans have valid ids of their own and stay in the trace of their parent', () => {
  const tracer = tracerFor({});
  const parent = tracer.startSpan('parent', {}, ROOT_CONTEXT).spanContext();
  assert.ok(isSpanContextValid(parent));
  tracer.startActiveSpan('child', {}, trace.setSpanContext(ROOT_CONTEXT, parent), (child) => {
    assert.equal(child.spanContext().traceId, parent.traceId);
    assert.notEqual(child.spanContext().spanId, parent.spanId);
    assert.equal(child.isRecording(), false);
    assert.equal(trace.getActiveSpan(), child);
  });
  const ids = new Set(Array.from({ length: 1_000 }, () => tracer.startSpan('one', { root: true }).spanContext().traceId));
  assert.equal(ids.size, 1_000);
});

test('the sampling decision is that of the configured sampler, for services that do export', () => {
  const flagsOf = (env: Record<string, string>, parentFlags?: number): number => {
    const parent = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: parentFlags ?? 0 };
    return tracerFor(env).startSpan('one', {}, parentFlags === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent)).spanContext().traceFlags;
  };
  assert.equal(flagsOf({}), TraceFlags.SAMPLED);
  assert.equal(flagsOf({}, TraceFlags.NONE), TraceFlags.NONE);
  assert.equal(flagsOf({ OTEL_TRACES_SAMPLER: 'always_off' }, TraceFlags.SAMPLED), TraceFlags.NONE);
  assert.equal(flagsOf({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' }), TraceFlags.NONE);
  assert.equal(flagsOf({ OTEL_SDK_DISABLED: 'true' }), TraceFlags.NONE);
  assert.equal(flagsOf({ OTEL_SDK_DISABLED: 'true' }, TraceFlags.SAMPLED), TraceFlags.SAMPLED);
});
