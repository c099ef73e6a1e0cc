import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROOT_CONTEXT, trace, TraceFlags, type Tracer } from '@opentelemetry/api';
import { mutableSetting, silentLogger } from '@talaria/base';
import '@talaria/context';
import { idTracer } from './id-tracer.ts';
import { startRecording } from './recording.ts';
import { samplingRatio, telemetrySettings, type ExportSettings } from './settings.ts';

const MANY = 4_000;
/** How many of many new traces are sampled; with a flag, of traces that came from elsewhere with it. */
function sampledOf(tracer: Tracer, parentFlags?: number): number {
  const parent = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: parentFlags ?? 0, isRemote: true };
  const context = parentFlags === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
  const all = Array.from({ length: MANY }, () => tracer.startSpan('one', {}, context).spanContext());
  return all.filter(({ traceFlags }) => (traceFlags & TraceFlags.SAMPLED) !== 0).length;
}

/** Never reached: no span here ends. */
const exportTo: ExportSettings = { url: 'http://127.0.0.1:1', protocol: 'http/json', headers: {}, maxQueueSize: 1, maxBatchSize: 1, delayMs: 1, timeoutMs: 1 };
const settings = (env: Record<string, string>) => ({ ...telemetrySettings(env, silentLogger), export: exportTo });
const makers = {
  'a tracer that only makes ids': async (env: Record<string, string>, ratio: ReturnType<typeof mutableSetting<number>>) => ({ tracer: idTracer(settings(env), ratio), stop: () => Promise.resolve() }),
  'a tracer that records': (env: Record<string, string>, ratio: ReturnType<typeof mutableSetting<number>>) => startRecording(settings(env), ratio, {}, silentLogger),
};

for (const [name, make] of Object.entries(makers)) {
  test(`${name} follows the ratio from one trace to the next`, async () => {
    const ratio = mutableSetting(1);
    const { tracer, stop } = await make({}, ratio);
    assert.equal(sampledOf(tracer), MANY);
    ratio.set(0);
    assert.equal(sampledOf(tracer), 0);
    ratio.set(0.25);
    // Six standard deviations to either side.
    const quarter = sampledOf(tracer);
    assert.ok(Math.abs(quarter - MANY / 4) < 6 * Math.sqrt(MANY * 0.25 * 0.75), String(quarter));
    await stop();
  });

  test(`${name} keeps the decision of a trace that came from elsewhere, unless its sampler is not parent-based`, async () => {
    const ratio = mutableSetting(0);
    const { tracer, stop } = await make({}, ratio);
    assert.equal(sampledOf(tracer, TraceFlags.SAMPLED), MANY);
    ratio.set(1);
    assert.equal(sampledOf(tracer, TraceFlags.NONE), 0);
    await stop();
    const own = await make({ OTEL_TRACES_SAMPLER: 'traceidratio' }, ratio);
    assert.equal(sampledOf(own.tracer, TraceFlags.NONE), MANY);
    ratio.set(0);
    assert.equal(sampledOf(own.tracer, TraceFlags.SAMPLED), 0);
    await own.stop();
  });
}

test('the standard variables say one ratio, or none', () => {
  assert.equal(samplingRatio({}), undefined);
  assert.equal(samplingRatio({ OTEL_TRACES_SAMPLER_ARG: '0.5' }), undefined);
  assert.equal(samplingRatio({ OTEL_TRACES_SAMPLER: 'sometimes', OTEL_TRACES_SAMPLER_ARG: '0.5' }), undefined);
  assert.equal(samplingRatio({ OTEL_TRACES_SAMPLER: 'parentbased_always_off' }), 0);
  assert.equal(samplingRatio({ OTEL_TRACES_SAMPLER: 'always_on', OTEL_TRACES_SAMPLER_ARG: '0.5' }), 1);
  assert.equal(samplingRatio({ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.5' }), 0.5);
  assert.equal(samplingRatio({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '7' }), 1);
});
