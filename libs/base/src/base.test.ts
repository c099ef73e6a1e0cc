import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger, mutableSetting, newId, sleep, type LogLevel } from './index.ts';

const captured = async (options: Parameters<typeof createLogger>[0] = {}): Promise<{ log: Awaited<ReturnType<typeof createLogger>>; lines: string[] }> => {
  const lines: string[] = [];
  const log = await createLogger({ format: 'json', ...options, destination: { write: (line: string) => void lines.push(line) } });
  return { log, lines };
};

test('an event is one line of JSON with its fields, those bound and those of the call', async () => {
  const { log, lines } = await captured({ fields: { service: 'service.x' }, ambient: () => ({ trace_id: 'abc' }) });
  log.with({ worker: 'w' }).info('a message\nof two lines', { count: 2 });
  assert.equal(lines.length, 1);
  const { time, ...rest } = JSON.parse(lines[0] ?? '');
  assert.deepEqual(rest, { level: 'info', service: 'service.x', worker: 'w', trace_id: 'abc', count: 2, msg: 'a message\nof two lines' });
  assert.match(time, /^\d{4}-.*Z$/);
});

test('secrets are not written', async () => {
  const { log, lines } = await captured();
  log.info('x', { authorization: 'Bearer s3cret', headers: { 'set-cookie': 's3cret', authorization: 's3cret' }, webhook: { secret: 's3cret' } });
  assert.doesNotMatch(lines.join(), /s3cret/);
});

test('the level follows its live setting, also for bound loggers', async () => {
  const level = mutableSetting<LogLevel>('info');
  const { log, lines } = await captured({ level });
  const bound = log.with({ a: 1 });
  bound.debug('hidden');
  level.set('debug');
  log.debug('shown');
  bound.debug('shown too');
  level.set('error');
  bound.warn('hidden again');
  assert.deepEqual(lines.map((line) => JSON.parse(line).msg), ['shown', 'shown too']);
});

test('an error is written with its stack and causes', async () => {
  const { log, lines } = await captured();
  log.error('failed', { err: new Error('outer', { cause: new Error('inner') }) });
  assert.match(lines[0] ?? '', /outer.*inner/);
});

test('listeners of a setting hear of changes until they stop', () => {
  const setting = mutableSetting(1);
  const heard: number[] = [];
  const stop = setting.onChange((value) => heard.push(value));
  for (const value of [1, 2, 2, 3]) setting.set(value);
  stop();
  setting.set(4);
  assert.deepEqual(heard, [2, 3]);
});

test('ids are prefixed, unique, and sorted by when they were made', () => {
  const ids = Array.from({ length: 1000 }, () => newId('acc'));
  assert.match(ids[0] ?? '', /^acc_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.deepEqual([...new Set(ids)].sort(), ids);
});

test('a sleep ends with its signal', async () => {
  const controller = new AbortController();
  const sleeping = sleep(1e6, { signal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(sleeping, /enough/);
  await assert.rejects(sleep(1e6, { signal: controller.signal }), /enough/);
});

test('a pretty event is one line too, unless it holds an error', async () => {
  const { log, lines } = await captured({ format: 'pretty', fields: { service: 'service.x' } });
  log.info('ready', { address: 'h2c://127.0.0.1:1', addresses: ['a', 'b'] });
  await new Promise(setImmediate);
  assert.equal(lines.join('').trim().split('\n').length, 1, lines.join(''));
  assert.match(lines.join(''), /service\.x ready.*h2c:\/\/127\.0\.0\.1:1/);
});
