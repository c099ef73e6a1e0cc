import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createLogger, LOG_FORMATS, mutableSetting, type Logger, type LoggerOptions, type LogLevel } from './index.ts';

function captured(options: LoggerOptions = {}): { log: Logger; lines: string[]; text: () => string } {
  const lines: string[] = [];
  const log = createLogger({ format: 'json', colors: false, ...options, destination: { write: (line: string) => void lines.push(line) } });
  return { log, lines, text: () => lines.join('') };
}

const parsed = (line: string | undefined): Record<string, unknown> => JSON.parse(line ?? '') as Record<string, unknown>;

describe('a logger', () => {
  it('writes an event as one line of JSON with its fields, those bound and those of the call', () => {
    const { log, lines } = captured({ fields: { service: 'service.x' }, ambient: () => ({ trace_id: 'abc' }) });
    log.with({ worker: 'w' }).info('a message\nof two lines', { count: 2, absent: undefined });
    assert.equal(lines.length, 1);
    assert.equal(lines[0]?.indexOf('\n'), lines[0]!.length - 1);
    const { time, ...rest } = parsed(lines[0]);
    assert.deepEqual(rest, { level: 'info', service: 'service.x', worker: 'w', trace_id: 'abc', count: 2, msg: 'a message\nof two lines' });
    assert.match(String(time), /^\d{4}-.*Z$/);
  });

  it('writes what can be parsed as logfmt, members of objects by dotted names', () => {
    const { log, lines } = captured({ format: 'logfmt', fields: { service: 'service.x' }, ambient: () => ({ trace_id: 'abc', request_id: 'req_1' }) });
    log.warn('two words', { empty: '', quoted: 'say "no"=\\', nested: { 'a key': true, list: [1, 'b'] }, none: null });
    assert.match(lines[0] ?? '', /^time=\S+Z level=warn service=service\.x trace_id=abc request_id=req_1 /);
    assert.ok(lines[0]?.endsWith(String.raw`empty="" quoted="say \"no\"=\\" nested.a_key=true nested.list="[1,\"b\"]" none=null msg="two words"` + '\n'), lines[0]);
  });

  it('writes for people: time, level, service and message, then the fields and ids', () => {
    const { log, lines } = captured({ format: 'pretty', fields: { service: 'service.x' }, ambient: () => ({ trace_id: 'abc', request_id: 'req_1' }) });
    log.info('ready', { address: 'h2c://127.0.0.1:1', addresses: ['a', 'b'] });
    assert.match(lines[0] ?? '', /^\d\d:\d\d:\d\d\.\d{3} INFO {2}service\.x ready trace_id=abc request_id=req_1 address=h2c:\/\/127\.0\.0\.1:1 addresses=\["a","b"\]\n$/);
  });

  it('follows its live level, also in bound loggers', () => {
    const level = mutableSetting<LogLevel>('info');
    const { log, lines } = captured({ level });
    const bound = log.with({ a: 1 });
    bound.debug('hidden');
    level.set('debug');
    log.debug('shown');
    bound.debug('shown too');
    level.set('error');
    bound.warn('hidden again');
    assert.deepEqual(lines.map((line) => parsed(line)['msg']), ['shown', 'shown too']);
  });

  it('keeps the names of an event its own, and lets later fields win', () => {
    const { log, lines } = captured({ fields: { a: 'base', b: 'base' } });
    log.with({ b: 'bound' }).info('m', { a: 'event', level: 'gold', time: 1, msg: 'other' });
    const { time, ...rest } = parsed(lines[0]);
    assert.match(String(time), /Z$/);
    assert.deepEqual(rest, { level: 'info', a: 'event', b: 'bound', level_: 'gold', time_: 1, msg_: 'other', msg: 'm' });
  });

  it('writes errors with stack, causes, collected errors and what they carry, in each format', () => {
    const inner = Object.assign(new TypeError('inner'), { code: 'E_INNER', headers: { authorization: 's3cret' } });
    const err = new Error('outer', { cause: new AggregateError([inner, 'a text'], 'several') });
    for (const format of LOG_FORMATS) {
      const { log, text } = captured({ format });
      log.error('failed', { err });
      for (const part of ['outer', 'several', 'inner', 'E_INNER', 'a text', 'logger.test.ts:']) assert.ok(text().includes(part), `${format} lacks ${part}: ${text()}`);
      assert.ok(!text().includes('s3cret'), text());
    }
    const { log, lines } = captured();
    log.error('failed', { err });
    const { err: written } = parsed(lines[0]) as { err: { type: string; cause: { type: string; errors: [{ code: string }] } } };
    assert.deepEqual([written.type, written.cause.type, written.cause.errors[0].code], ['Error', 'AggregateError', 'E_INNER']);
  });

  it('lets no text from outside begin a line or command a terminal', () => {
    const evil = 'x\n12:00:00.000 INFO  all is well\r\u2028\u0085\u001b[2J\u0007';
    for (const format of LOG_FORMATS) {
      const { log, text } = captured({ format });
      log.info(evil, { field: evil, [evil]: 1, nested: { [evil]: [evil] } });
      assert.equal(text().split('\n').length, 2, `${format}: ${text()}`);
      log.error('failed', { err: Object.assign(new Error(evil, { cause: evil }), { extra: evil }) });
      // Only an error in the pretty format takes more lines, and those are indented.
      const rest = text().split('\n').slice(1, -1);
      assert.deepEqual(rest.slice(1).filter((line) => !line.startsWith('    ')), [], format);
      assert.equal(format === 'pretty', rest.length > 1);
      assert.doesNotMatch(text().replaceAll('\n', ''), /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/, format);
    }
  });

  it('never throws, whatever it is given', () => {
    const cycle: Record<string, unknown> = { name: 'cycle' };
    cycle['self'] = cycle;
    const hostile = {
      get getter() {
        throw new Error('getter');
      },
      json: { toJSON: () => { throw new Error('toJSON'); } },
      proxy: new Proxy({}, { ownKeys: () => { throw new Error('ownKeys'); } }),
      error: Object.defineProperty(new Error('x'), 'message', { get: () => { throw new Error('message'); } }),
      cycle, big: 12n, nan: Number.NaN, symbol: Symbol('s'), fn: () => {}, date: new Date(Number.NaN), bytes: Buffer.from('bytes'), set: new Set([1n]), nothing: Object.create(null) as object,
    };
    for (const format of LOG_FORMATS) {
      const { log, lines } = captured({ format, ambient: () => { throw new Error('ambient'); } });
      log.with(hostile).info('hostile', hostile);
      for (const fields of [null, 'a text', 7, [1], new Error('bare')]) log.info('odd fields', fields as never);
      log.info(undefined as never);
      log.info(new Error('as a message') as never);
      assert.equal(lines.filter((line) => !line.startsWith('  ')).length, 8, lines.join(''));
    }
    const broken = createLogger({ format: 'json', destination: { write: () => { throw new Error('the disk is full'); } } });
    broken.error('unheard');
    const { log, lines } = captured();
    log.info('x', hostile);
    assert.partialDeepStrictEqual(parsed(lines[0]), { big: '12', nan: 'NaN', cycle: { name: 'cycle', self: '[circular]' }, getter: '[unreadable]', bytes: '[5 bytes]', set: ['1'] });
  });

  it('bounds what one event may take: long texts, wide and deep values, many errors', () => {
    let deep: unknown = 's3cret';
    for (let level = 0; level < 10_000; level++) deep = { deep };
    let chain = new Error('first');
    for (let level = 0; level < 1_000; level++) chain = new Error(`wrapped ${level}`, { cause: chain });
    const huge = { text: 'x'.repeat(1e7), control: '\u0001'.repeat(1e6), list: Array.from({ length: 1e6 }, (_, index) => `item ${index}`), wide: Object.fromEntries(Array.from({ length: 1e4 }, (_, index) => [`k${index}`, 'y'.repeat(1000)])), deep, chain };
    const errorWith = (stack: string): Error => Object.assign(new Error('x'), { stack });
    const nested = (width: number, levels: number, leaf: unknown, key = 'k'): unknown => (levels === 0 ? leaf : Object.fromEntries(Array.from({ length: width }, (_, index) => [`${key}${index}`, nested(width, levels - 1, leaf, key)])));
    const lists = (leaf: unknown, levels = 3): unknown => (levels === 0 ? leaf : Array.from({ length: 100 }, () => lists(leaf, levels - 1)));
    const many: Record<string, unknown> = {
      huge, deep, chain,
      numbers: lists(-1.2345678901234567e-100), booleans: lists(false), nulls: lists(null), empty: lists(''), objects: lists({}), nothing: lists(undefined), functions: lists(() => {}), dates: lists(new Date(0)),
      secrets: lists({ password: 'x', kty: 'OKP', d: 'x' }), keys: nested(4, 7, 1, 'a-long-name-'.repeat(15)), flags: nested(100, 3, true), quotes: [lists('"\\', 2)], cjk: lists('\u6f22'.repeat(100)), separators: lists('\u2028\u0085'.repeat(100), 2),
      frames: errorWith('\n at x'.repeat(3_000)), causes: Array.from({ length: 9 }).reduce<Error>((cause) => Object.assign(errorWith('\n at x'.repeat(300)), { cause }), new Error('x')),
      errors: new AggregateError(Array.from({ length: 100 }, () => errorWith('\n at x'.repeat(300))), 'x'),
    };
    const message = 'z\u0001\u0085\u6f22"'.repeat(1e5);
    for (const format of LOG_FORMATS) {
      for (const [name, value] of [...Object.entries(many), ['all', many] as const]) {
        const { log, lines } = captured({ format, colors: true, fields: { [name]: value }, ambient: () => ({ ambient: value }) });
        log.info(message, { own: value });
        log.with({ bound: value }).with({ [name]: value, more: value }).info('m', { own: value, ...many });
        log.info(new Error(message, { cause: value }) as never, value as never);
        assert.deepEqual(lines.map((line) => Buffer.byteLength(line)).filter((bytes) => bytes > 64 * 1024), [], `${format}: ${name}`);
        assert.equal(lines.length, 3);
        if (format === 'json') for (const line of lines) parsed(line);
      }
    }
  });

  it('leaves room beside bound fields for those of the call and of the event, also when names are bound again and again', () => {
    const { log, lines } = captured({ fields: { bound: Array.from({ length: 100 }, () => 'x'.repeat(8_000)) }, ambient: () => ({ trace_id: 'abc' }) });
    let again = log;
    for (let attempt = 0; attempt < 10_000; attempt++) again = again.with({ attempt });
    again.info('m', { text: 'y'.repeat(8_000) });
    assert.partialDeepStrictEqual(parsed(lines[0]), { attempt: 9_999, trace_id: 'abc', text: 'y'.repeat(8_000), msg: 'm' });
  });

  it('says how much of a text it left out', () => {
    const { log, lines } = captured();
    log.info('x', { huge: 'x'.repeat(10_000) });
    assert.match(String(parsed(lines[0])['huge']), /^x{8192}… \(\+1808 characters\)$/);
    assert.ok(lines[0] !== undefined && lines[0].length < 64 * 1024);
  });

  it('takes colours from FORCE_COLOR, NO_COLOR and the terminal, and the stream from its options', () => {
    const run = (env: Record<string, string>, output: string): { out: string; err: string } => {
      const { NODE_TEST_CONTEXT: _test, FORCE_COLOR: _force, NO_COLOR: _none, ...rest } = process.env;
      const code = `import { createLogger } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))};
        createLogger({ format: 'pretty', output: '${output}' }).info('hello');`;
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { env: { ...rest, ...env }, encoding: 'utf8' });
      return { out: stdout, err: stderr };
    };
    assert.match(run({ FORCE_COLOR: '1', NO_COLOR: '1' }, 'stdout').out, /\u001b\[/);
    assert.doesNotMatch(run({ FORCE_COLOR: '0' }, 'stdout').out, /\u001b\[/);
    assert.doesNotMatch(run({}, 'stdout').out, /\u001b\[/);
    const { out, err } = run({}, 'stderr');
    assert.deepEqual([out, /INFO {2}hello/.test(err)], ['', true]);
  });
});
