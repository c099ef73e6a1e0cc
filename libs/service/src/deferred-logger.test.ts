import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger, type LogFields, type Logger } from '@talaria/base';
import { currentCall, runInCall } from '@talaria/context';
import { deferredLogger } from './deferred-logger.ts';

function recorder(written: unknown[], fields: LogFields = {}): Logger {
  return { ...silentLogger, info: (message, more) => void written.push([message, { ...fields, ...more }]), with: (more) => recorder(written, { ...fields, ...more }) };
}

test('what is logged before there is a logger is written once there is one, in order and with its fields', () => {
  const written: unknown[] = [];
  const { log, attach } = deferredLogger();
  const child = log.with({ part: 'a' });
  log.info('first');
  child.info('second', { n: 2 });
  attach(recorder(written));
  child.with({ deep: true }).info('third');
  log.info('fourth');
  assert.deepEqual(written, [
    ['first', {}],
    ['second', { part: 'a', n: 2 }],
    ['third', { part: 'a', deep: true }],
    ['fourth', {}],
  ]);
});

test('what is held back is written as part of the call that logged it', () => {
  const requests: unknown[] = [];
  const { log, attach } = deferredLogger();
  runInCall({ requestId: 'req_1' }, () => log.info('in a call'));
  log.info('in none');
  attach({ ...silentLogger, info: () => void requests.push(currentCall().requestId) });
  assert.deepEqual(requests, ['req_1', undefined]);
});
