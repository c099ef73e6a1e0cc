import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '@talaria/base';
import { telemetrySettings } from './settings.ts';
import { recorder } from './testing/recorder.ts';

const read = (env: Record<string, string>) => telemetrySettings(env, silentLogger);

test('nothing is exported unless an endpoint is set', () => {
  assert.equal(read({}).export, undefined);
  assert.equal(read({ OTEL_EXPORTER_OTLP_ENDPOINT: '' }).export, undefined);
  assert.equal(read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318', OTEL_TRACES_EXPORTER: 'none' }).export, undefined);
  assert.equal(read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318', OTEL_SDK_DISABLED: 'TRUE' }).export, undefined);
});

test('the shared endpoint gets the path of traces, their own and that of gRPC do not', () => {
  assert.equal(read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318/base/' }).export?.url, 'http://localhost:4318/base/v1/traces');
  assert.equal(read({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://localhost:4318/mine', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://elsewhere:1' }).export?.url, 'http://localhost:4318/mine');
  assert.equal(read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4317', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }).export?.url, 'http://localhost:4317');
});

test('headers of traces go before those of all signals', () => {
  const settings = read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318', OTEL_EXPORTER_OTLP_HEADERS: 'a=1,b=two%20words', OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'a=3' });
  assert.deepEqual(settings.export?.headers, { a: '3', b: 'two words' });
});

test('a wrong value is reported and ignored', () => {
  const { log, events } = recorder();
  const settings = telemetrySettings(
    {
      OTEL_TRACES_SAMPLER: 'sometimes',
      OTEL_PROPAGATORS: 'tracecontext,xray',
      OTEL_BSP_MAX_QUEUE_SIZE: '-1',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'carrier-pigeon',
    },
    log,
  );
  assert.equal(settings.sampler, 'parentbased_always_on');
  assert.deepEqual(settings.propagators, ['tracecontext']);
  assert.equal(settings.export?.protocol, 'http/protobuf');
  assert.equal(events.filter(({ level }) => level === 'warn').length, 4);
  assert.equal(telemetrySettings({ OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost' }, log).export, undefined);
  assert.equal(telemetrySettings({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' }, log).ratio, 1);
});

test('the name of the service in its own variable goes before that among the attributes', () => {
  assert.deepEqual(read({ OTEL_RESOURCE_ATTRIBUTES: 'service.name=a,region=eu%2C1', OTEL_SERVICE_NAME: 'b' }).resource, { 'service.name': 'b', region: 'eu,1' });
});
