import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { context, propagation, trace } from '@opentelemetry/api';
import { currentCall, runInCall } from '@talaria/context';
import { continueTrace } from './propagation.ts';

propagation.setGlobalPropagator({
  fields: () => ['traceparent'],
  inject: () => {},
  extract(into, carrier, getter) {
    const [, traceId, spanId] = String(getter.get(carrier, 'traceparent') ?? '').split('-');
    return traceId && spanId ? trace.setSpanContext(into, { traceId, spanId, traceFlags: 1, isRemote: true }) : into;
  },
});
after(() => propagation.disable());

it('continues the trace of what caused an event, later and in the call that runs', async () => {
  const found = await runInCall({ requestId: 'req_1' }, () =>
    continueTrace({ traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }, async () => {
      await new Promise(setImmediate);
      return [trace.getSpanContext(context.active())?.traceId, currentCall().requestId];
    }),
  );
  assert.deepEqual(found, ['0af7651916cd43dd8448eb211c80319c', 'req_1']);
  assert.equal(continueTrace({}, () => trace.getSpanContext(context.active())), undefined);
});
