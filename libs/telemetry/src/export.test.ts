import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { notFound } from '@talaria/errors';
import { startTelemetry } from './telemetry.ts';
import { startPair } from './testing/pair.ts';
import { recorder } from './testing/recorder.ts';

interface Received {
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** An OTLP backend that keeps what it gets. */
async function startReceiver(): Promise<{ url: string; received: Received[]; close(): Promise<void> }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ url: request.url, headers: request.headers, body: Buffer.concat(chunks) });
      response.writeHead(200, { 'content-type': request.headers['content-type'] ?? '' }).end(request.headers['content-type'] === 'application/json' ? '{}' : '');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface JsonSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly status: { readonly code?: number };
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
}
interface JsonExport {
  readonly resourceSpans: readonly { readonly resource: { readonly attributes: JsonSpan['attributes'] }; readonly scopeSpans: readonly { readonly spans: readonly JsonSpan[] }[] }[];
}

describe('export over OTLP', () => {
  test('a span on both sides of each call, with the standard attributes, below one another', async () => {
    const receiver = await startReceiver();
    const { log } = recorder();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=acme', OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test' };
    const server = await startTelemetry({ service: 'service.account', version: '2', instance: 'inst_1', env, log });
    const client = await startTelemetry({ service: 'api.test', version: '1', instance: 'inst_2', env, log });
    const pair = await startPair(server, client, async ({ id }) => {
      if (id === 'acc_none') throw notFound('account', 'There is no such account.');
      return {};
    });
    await pair.client.getAccount({ id: 'acc_1' });
    await assert.rejects(pair.client.getAccount({ id: 'acc_none' }));
    await pair.close();
    await server.stop(5_000);
    await client.stop(5_000);
    await receiver.close();

    assert.ok(receiver.received.every(({ url, headers }) => url === '/v1/traces' && headers['x-tenant'] === 'acme'));
    const exports = receiver.received.map(({ body }) => JSON.parse(body.toString()) as JsonExport).flatMap(({ resourceSpans }) => resourceSpans);
    const of = (service: string): { resource: Record<string, unknown>; spans: readonly JsonSpan[] } => {
      const mine = exports.filter(({ resource }) => resource.attributes.some(({ key, value }) => key === 'service.name' && value['stringValue'] === service));
      return { resource: Object.fromEntries(mine.flatMap(({ resource }) => resource.attributes.map(({ key, value }) => [key, Object.values(value)[0]]))), spans: mine.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)) };
    };
    const { resource, spans: servers } = of('service.account');
    const { spans: clients } = of('api.test');
    assert.equal(resource['service.version'], '2');
    assert.equal(resource['service.instance.id'], 'inst_1');
    assert.equal(resource['deployment.environment.name'], 'test');
    assert.ok(!('host.name' in resource) && !('process.command_args' in resource));
    assert.equal(servers.length, 2);
    assert.equal(clients.length, 2);
    for (const [index, span] of servers.entries()) {
      const parent = clients.find(({ spanId }) => spanId === span.parentSpanId);
      assert.equal(parent?.traceId, span.traceId);
      assert.equal(span.kind, 2);
      assert.equal(parent.kind, 3);
      assert.equal(span.name, 'account.v1.AccountService/GetAccount');
      const attributes = Object.fromEntries(span.attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
      assert.deepEqual(attributes, { 'rpc.system': 'grpc', 'rpc.service': 'account.v1.AccountService', 'rpc.method': 'GetAccount', 'rpc.grpc.status_code': index === 0 ? 0 : 5 });
      // NOT_FOUND is no failure of the server, but one to the client.
      assert.equal(span.status.code ?? 0, 0);
      assert.equal(parent.status.code ?? 0, index === 0 ? 0 : 2);
    }
  });

  test('protobuf is the default', async () => {
    const receiver = await startReceiver();
    const { log, events } = recorder();
    const telemetry = await startTelemetry({ service: 'service.account', version: '1', instance: 'i', env: { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.url}/custom` }, log });
    telemetry.tracer.startSpan('one').end();
    await telemetry.flush();
    assert.equal(receiver.received.length, 1);
    assert.equal(receiver.received[0]?.url, '/custom');
    assert.equal(receiver.received[0].headers['content-type'], 'application/x-protobuf');
    assert.ok(receiver.received[0].body.includes('service.account'));
    await telemetry.stop(5_000);
    await receiver.close();
    assert.deepEqual(events.filter(({ level }) => level !== 'debug'), []);
  });

  test('a burst beyond the queue is counted and reported', async () => {
    const receiver = await startReceiver();
    const { log, events } = recorder();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_MAX_QUEUE_SIZE: '10', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '10' };
    const telemetry = await startTelemetry({ service: 'service.account', version: '1', instance: 'i', env, log });
    for (let n = 0; n < 100; n++) telemetry.tracer.startSpan('one').end();
    await telemetry.stop(5_000);
    await receiver.close();
    const report = events.find(({ message }) => message === 'spans were lost');
    assert.ok(report);
    assert.ok((report.fields['dropped'] as number) > 0);
    assert.equal((report.fields['dropped'] as number) + (report.fields['exported'] as number) + (report.fields['failed'] as number), 100);
  });

  test('a backend that is away is reported once, and holds nothing up', async () => {
    const receiver = await startReceiver();
    await receiver.close();
    const { log, events } = recorder();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_TIMEOUT: '200' };
    const telemetry = await startTelemetry({ service: 'service.account', version: '1', instance: 'i', env, log });
    for (let n = 0; n < 3; n++) {
      telemetry.tracer.startSpan('one').end();
      await telemetry.flush();
    }
    await telemetry.stop(500);
    assert.equal(events.filter(({ message }) => message.startsWith('spans are lost')).length, 1);
  });
});
