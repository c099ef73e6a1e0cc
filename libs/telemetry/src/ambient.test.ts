import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { context, trace } from '@opentelemetry/api';
import { createLogger, LOG_FORMATS } from '@talaria/base';
import { runInCall } from '@talaria/context';
import { ambientFields } from './ambient.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';

describe('a line of the log', () => {
  for (const format of LOG_FORMATS) {
    it(`names trace, span and request of the call, also from a bound logger and after a pause (${format})`, async () => {
      const lines: string[] = [];
      const log = createLogger({ format, colors: false, ambient: ambientFields, destination: { write: (line: string) => void lines.push(line) } });
      const bound = log.with({ worker: 'w' });
      const inSpan = trace.setSpanContext(context.active(), { traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: 0 });
      await context.with(inSpan, () =>
        runInCall({ requestId: 'req_1' }, async () => {
          log.info('one');
          await new Promise(setImmediate);
          bound.error('two', { err: new Error('x'), trace_id: undefined });
        }),
      );
      log.info('outside');
      const pair = (name: string, value: string): string => (format === 'json' ? `"${name}":"${value}"` : `${name}=${value}`);
      for (const line of lines.slice(0, 2)) for (const text of [pair('trace_id', TRACE_ID), pair('span_id', SPAN_ID), pair('request_id', 'req_1')]) assert.ok(line.includes(text), line);
      assert.doesNotMatch(lines[2] ?? 'missing: trace_id', /trace_id|request_id/);
    });
  }
});
