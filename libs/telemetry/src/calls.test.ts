import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { context as otel, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { currentCall, runInCall } from '@talaria/context';
import { notFound } from '@talaria/errors';
import { Metadata } from 'nice-grpc-common';
import { createPropagator, extractContext } from './propagation.ts';
import { startTelemetry, type Telemetry } from './telemetry.ts';
import { startPair } from './testing/pair.ts';
import { recorder, type Recorded } from './testing/recorder.ts';

async function withCalls(getAccount: Parameters<typeof startPair>[2], run: (pair: Awaited<ReturnType<typeof startPair>>, events: Recorded[]) => Promise<void>): Promise<void> {
  const { log, events } = recorder();
  const start = (service: string): Promise<Telemetry> => startTelemetry({ service, version: '1', instance: 'i', env: {}, log });
  const pair = await startPair(await start('service.account'), await start('api.test'), getAccount);
  try {
    await run(pair, events);
  } finally {
    await pair.close();
  }
}

describe('every call', () => {
  test('is one line in the log, with trace and request id, at a level that fits its outcome', async () => {
    const outcomes = [
      () => ({}),
      () => {
        throw notFound('account', 'There is no such account.');
      },
      () => {
        throw new Error('the code is wrong');
      },
    ];
    await withCalls(
      async () => (outcomes.shift() ?? (() => ({})))(),
      async ({ client }, events) => {
        const parent = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
        const call = (): Promise<unknown> => otel.with(trace.setSpanContext(ROOT_CONTEXT, parent), () => runInCall({ requestId: 'req-1' }, () => client.getAccount({ id: 'acc_1' })));
        await call();
        await assert.rejects(call(), /no such account/);
        await assert.rejects(call(), (error: Error) => error.message === 'internal error');
        assert.deepEqual(
          events.map(({ level, message, fields }) => ({ level, message, method: fields['method'], status: fields['status'], trace: fields['trace_id'], request: fields['request_id'] })),
          (['debug:OK', 'debug:NOT_FOUND', 'error:INTERNAL'] as const).map((one) => ({
            level: one.split(':')[0],
            message: 'call',
            method: 'account.v1.AccountService/GetAccount',
            status: one.split(':')[1],
            trace: parent.traceId,
            request: 'req-1',
          })),
        );
        assert.match(String((events[2]?.fields['err'] as Error).message), /the code is wrong/);
      },
    );
  });

  test('gets a trace and a request id of its own when it comes with none, or with one that is not fit for logs', async () => {
    const seen: { requestId: string | undefined; traceId: string | undefined }[] = [];
    await withCalls(
      async () => {
        seen.push({ requestId: currentCall().requestId, traceId: trace.getSpanContext(otel.active())?.traceId });
        return {};
      },
      async ({ client }) => {
        await client.getAccount({ id: 'acc_1' });
        await client.getAccount({ id: 'acc_1' }, { metadata: Metadata({ 'x-request-id': 'an id with spaces' }) });
      },
    );
    for (const { requestId, traceId } of seen) {
      assert.match(requestId ?? '', /^req_/);
      assert.match(traceId ?? '', /^[0-9a-f]{32}$/);
    }
    assert.notEqual(seen[0]?.traceId, seen[1]?.traceId);
  });

  test('that hangs is over when its caller hangs up: the line is written, the handler may never return', async () => {
    const started = Promise.withResolvers<void>();
    await withCalls(
      () => {
        started.resolve();
        return new Promise(() => {});
      },
      async ({ client }, events) => {
        const hangUp = new AbortController();
        const call = assert.rejects(client.getAccount({ id: 'acc_1' }, { signal: hangUp.signal }));
        await started.promise;
        hangUp.abort();
        await call;
        while (events.length === 0) await new Promise((resolve) => setImmediate(resolve));
        assert.equal(events[0]?.fields['status'], 'CANCELLED');
      },
    );
  });
});

describe('what comes from outside', () => {
  const extract = (metadata: Metadata) => extractContext(createPropagator(['tracecontext', 'baggage']), ROOT_CONTEXT, metadata);

  test('baggage is bounded to 64 entries and 8 KiB', () => {
    const many = Array.from({ length: 100 }, (_, n) => `key${n}=value`).join(',');
    assert.equal(propagation.getBaggage(extract(Metadata({ baggage: many })))?.getAllEntries().length, 64);
    const long = Array.from({ length: 10 }, (_, n) => `key${n}=${'x'.repeat(2_000)}`).join(',');
    assert.equal(propagation.getBaggage(extract(Metadata({ baggage: long })))?.getAllEntries().length, 4);
  });

  test('a malformed traceparent is ignored', () => {
    for (const traceparent of ['', 'x', '00-00000000000000000000000000000000-b7ad6b7169203331-01', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331']) {
      assert.equal(trace.getSpanContext(extract(Metadata({ traceparent }))), undefined, traceparent);
    }
  });
});
