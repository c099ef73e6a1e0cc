import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { duration, keyringOf, memoryConfigSource, openConfig, setting, SettingsError, type LiveConfig, type MemoryConfigSource, type OpenConfigOptions } from '../index.ts';
import { logLines, type Lines } from '../testing/lines.ts';
import { loadYaml } from './parse-yaml.ts';

before(loadYaml);

const SERVICE = 'service/service.test';
const SHAPE = {
  'log.level': setting(z.enum(['debug', 'info', 'warn']).default('info'), { description: 'what is logged' }),
  'mail.timeout': setting(duration({ min: 100 }).default(10_000), { description: 'how long an attempt may take', unit: 'ms' }),
  'mail.hosts': setting(z.array(z.string()).default([]), { description: 'where it goes' }),
  'mail.password': setting(z.string().min(3).default('none'), { description: 'of the server', secret: true }),
  'mail.workers': setting(z.number().int().min(1).default(4), { description: 'how many at once', live: false }),
} as const;

interface Opened {
  readonly config: LiveConfig;
  readonly values: ReturnType<LiveConfig['declare']> & { readonly [K in keyof typeof SHAPE]: { get(): unknown; onChange(listener: (value: unknown) => void): () => void } };
  readonly source: MemoryConfigSource;
  readonly lines: Lines;
}

const KEYS = { TALARIA_CONFIG_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}` };

async function open(options: Partial<OpenConfigOptions> = {}, prepare: (source: MemoryConfigSource) => void = () => {}): Promise<Opened> {
  const source = memoryConfigSource();
  prepare(source);
  const lines = logLines();
  const config = openConfig({ service: 'service.test', version: '1.0.0', instance: 'inst_1', env: {}, log: lines.log, source, ...options });
  const values = config.declare(SHAPE);
  await config.start();
  return { config, values, source, lines };
}

const failure = (config: LiveConfig): string => {
  try {
    void config.checker.check(new AbortController().signal);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
};

describe('the layers', () => {
  let folder: string;
  before(async () => void (folder = await mkdtemp(join(tmpdir(), 'talaria-config-'))));
  after(() => rm(folder, { recursive: true, force: true }));

  it('win in order, and lose in order when they go', async () => {
    const file = join(folder, 'order.yaml');
    await writeFile(file, 'mail:\n  timeout: 2s\n');
    const { values, source, config } = await open({ env: { TALARIA_CONFIG_FILE: file, MAIL_TIMEOUT: '3s' } });
    const timeout = values['mail.timeout'];
    assert.equal(timeout.get(), 3_000);
    const targets = ['global', SERVICE, 'version/service.test@1.0.0', 'instance/inst_1'] as const;
    for (const [at, target] of targets.entries()) {
      source.set(target, { 'mail.timeout': `${at + 4}s` });
      assert.equal(timeout.get(), (at + 4) * 1_000);
    }
    for (const [at, target] of [...targets.entries()].reverse()) {
      source.set(target, { 'mail.timeout': undefined });
      assert.equal(timeout.get(), (at + 3) * 1_000);
    }
    for (const other of ['service/service.tes', 'service/service.test2', 'version/service.test@1.0.1', 'instance/inst_2'] as const) source.set(other, { 'mail.timeout': '1h' });
    assert.equal(timeout.get(), 3_000);
    await config.close();
  });

  it('take values from the file however it nests them, and from the environment as text or JSON', async () => {
    for (const [name, text] of [
      ['a.json', '{"mail":{"timeout":"2s","hosts":["x"]}}'],
      ['b.json', '{"mail.timeout":2000,"mail":{"hosts":["x"]}}'],
      ['c.yml', 'mail.timeout: 2s\nmail.hosts: [x]\nunknown: { of: others }'],
    ] as const) {
      const file = join(folder, name);
      await writeFile(file, text);
      const { values, config } = await open({ env: { TALARIA_CONFIG_FILE: file } });
      assert.deepEqual([values['mail.timeout'].get(), values['mail.hosts'].get()], [2_000, ['x']], name);
      await config.close();
    }
    const { values, config } = await open({ env: { LOG_LEVEL: 'debug', MAIL_HOSTS: '["a","b"]', MAIL_WORKERS: '9', MAIL_TIMEOUT: '', MAIL_PASSWORD: 'hunter2' } });
    assert.deepEqual(['log.level', 'mail.hosts', 'mail.workers', 'mail.timeout', 'mail.password'].map((name) => values[name]?.get()), ['debug', ['a', 'b'], 9, 10_000, 'hunter2']);
    await config.close();
  });

  it('are wrong below etcd: every mistake at once, no secret, and no value', async () => {
    const file = join(folder, 'wrong.yaml');
    await writeFile(file, 'log: { level: loud }\nmail.password: h2\nmail: { password: hunter2 }\n');
    const config = openConfig({ service: 'service.test', version: '1', instance: 'inst_1', env: { TALARIA_CONFIG_FILE: file, MAIL_TIMEOUT: '1ms', MAIL_PASSWORD: 'h1', TALARIA_CONFIG_KEYS: 'hunter3' }, log: logLines().log });
    const values = config.declare(SHAPE);
    assert.throws(() => values['mail.timeout'].get(), /MAIL_TIMEOUT is "1ms": must be from 100ms/);
    assert.equal(values['mail.workers'].get(), 4);
    await assert.rejects(config.start(), (error) => {
      assert.ok(error instanceof SettingsError);
      assert.deepEqual(error.problems.map(({ name }) => name).sort(), ['MAIL_PASSWORD', 'MAIL_TIMEOUT', 'TALARIA_CONFIG_KEYS', 'log.level in the file of TALARIA_CONFIG_FILE', 'mail.password']);
      assert.match(error.message, /MAIL_PASSWORD has a wrong value \(a secret, not shown\): it is too small or short \(of the server\)/);
      assert.match(error.message, /mail\.password stands 2 times/);
      assert.doesNotMatch(error.message, /hunter|h[12]\b/);
      return true;
    });
  });

  it('name the file that is not there, or is none', async () => {
    const broken = join(folder, 'broken.yaml');
    await writeFile(broken, 'a: 1\nb: [secret\n');
    const list = join(folder, 'list.json');
    await writeFile(list, '[1]');
    for (const [file, pattern] of [[join(folder, 'none.yaml'), /cannot be read \(ENOENT\)/], [broken, /not YAML in line \d/], [list, /holds no settings/]] as const) {
      const config = openConfig({ service: 's', version: '1', instance: 'i', env: { TALARIA_CONFIG_FILE: file }, log: logLines().log });
      config.declare(SHAPE);
      await assert.rejects(config.start(), (error: Error) => pattern.test(error.message) && !error.message.includes('secret'));
    }
  });

  it('leave no setting without a value, unless etcd says it', async () => {
    const required = { 'mail.user': setting(z.string(), { description: 'the user' }) };
    const source = memoryConfigSource();
    const options = { service: 'service.test', version: '1', instance: 'inst_1', env: {}, source };
    const without = openConfig({ ...options, log: logLines().log });
    const value = without.declare(required)['mail.user'];
    assert.throws(() => value.get(), /MAIL_USER is missing/);
    await assert.rejects(without.start(), /MAIL_USER is missing: set it, or write mail\.user with "talaria config set" \(the user\)/);
    source.set('global', { 'mail.user': 'ada' });
    const lines = logLines();
    const config = openConfig({ ...options, log: lines.log });
    const shape = config.declare({ ...required, 'mail.other': setting(z.string().default('x'), { description: 'another' }) });
    await config.start();
    assert.equal(shape['mail.user'].get(), 'ada');
    // Together with what else was changed at once.
    source.set('global', { 'mail.user': undefined, 'mail.other': 'y' });
    assert.deepEqual([shape['mail.user'].get(), shape['mail.other'].get()], ['ada', 'x']);
    assert.match(failure(config), /mail\.user was removed, and nothing else says it/);
    source.set('global', { 'mail.user': 'bob' });
    assert.deepEqual([shape['mail.user'].get(), shape['mail.other'].get(), failure(config)], ['bob', 'y', '']);
    await config.close();
  });
});

describe('a change', () => {
  it('is applied whole, and listeners find all of it', async () => {
    const { values, source, config } = await open();
    const seen: unknown[] = [];
    values['log.level'].onChange(() => {
      seen.push([values['log.level'].get(), values['mail.timeout'].get()]);
      throw new Error('a listener may throw');
    });
    values['mail.timeout'].onChange(() => seen.push([values['log.level'].get(), values['mail.timeout'].get()]));
    source.set(SERVICE, { 'log.level': 'debug', 'mail.timeout': '1s' });
    assert.deepEqual(seen, [['debug', 1_000], ['debug', 1_000]]);
    source.set(SERVICE, { 'log.level': 'debug' });
    source.set('global', { 'log.level': 'warn' });
    assert.equal(seen.length, 2, 'nothing changed');
    await config.close();
  });

  it('keeps the identity of what did not change', async () => {
    const { values, source, config } = await open();
    source.set(SERVICE, { 'mail.hosts': ['a'] });
    const before = values['mail.hosts'].get();
    source.set(SERVICE, { 'mail.hosts': ['a'] });
    assert.equal(values['mail.hosts'].get(), before);
    await config.close();
  });

  it('is held back whole if one of its values is wrong, removals too, with one line, until that is written again', async () => {
    const { values, source, config, lines } = await open();
    source.set(SERVICE, { 'log.level': 'warn', 'mail.timeout': '1s', 'mail.hosts': ['a'] });
    source.set(SERVICE, { 'log.level': 'loud', 'mail.timeout': '2s', 'mail.hosts': undefined });
    const now = (): unknown[] => ['log.level', 'mail.timeout', 'mail.hosts'].map((name) => values[name]?.get());
    assert.deepEqual(now(), ['warn', 1_000, ['a']]);
    source.set('global', { 'mail.hosts': ['z'] });
    source.write(SERVICE, { 'log.level': '"loud"' });
    assert.deepEqual(now(), ['warn', 2_000, ['z']], 'what was wrong is no part of that change any more');
    assert.equal(lines.at('error').length, 2);
    assert.match(lines.at('error')[0] ?? '', /nothing of the change is applied and the last good values stay: log\.level is \\"loud\\": .*talaria config set service\.test log\.level/);
    assert.match(failure(config), /^config\/service\/service\.test\/log\.level: log\.level is "loud"/);
    assert.match(String(source.applied.get('service.test/inst_1')?.settings['log.level']?.problem), /"loud"/);
    source.set(SERVICE, { 'log.level': 'debug' });
    assert.deepEqual([...now(), failure(config)], ['debug', 2_000, ['z'], '']);
    assert.equal(source.applied.get('service.test/inst_1')?.settings['log.level']?.problem, undefined);
    await config.close();
  });

  it('is no value: not JSON, not UTF-8, of the wrong type, too large, nested too deep', async () => {
    const { values, source, config, lines } = await open();
    source.set(SERVICE, { 'log.level': 'warn', 'mail.hosts': ['a'], 'mail.timeout': '1s' });
    const wrong = ['', ' ', 'debug', '"debug', '{', 'null', '1', 'true', '[]', '"DEBUG"', '\u0000', Buffer.from([0x22, 0xff, 0x22]), JSON.stringify('x'.repeat(1_000_000)), `"${'x'.repeat(70_000)}"`];
    for (const text of wrong) {
      source.write(SERVICE, { 'log.level': text, 'mail.timeout': '"9s"' });
      assert.deepEqual([values['log.level'].get(), values['mail.timeout'].get()], ['warn', 1_000], String(text).slice(0, 20));
      assert.notEqual(failure(config), '');
    }
    source.write(SERVICE, { 'mail.hosts': `${'['.repeat(30_000)}${']'.repeat(30_000)}` });
    assert.deepEqual(values['mail.hosts'].get(), ['a']);
    assert.equal(lines.at('error').length, wrong.length + 1);
    assert.ok(lines.all.every((line) => line.length < 1_000));
    await config.close();
  });

  it('may hold keys that are no settings: they mean nothing', async () => {
    const { values, source, config, lines } = await open();
    const before = lines.all.length;
    for (const name of ['', '~', 'LOG.LEVEL', 'log.level~~', 'log.level/x', 'log..level', '../log.level', 'ключ', 'log.level ', '__proto__', 'constructor', 'not.declared', 'a\n']) source.write(SERVICE, { [name]: 'rubbish' });
    assert.equal(values['log.level'].get(), 'info');
    assert.equal(failure(config), '');
    assert.equal(lines.all.length, before);
    await config.close();
  });

  it('is never made of what merely can be turned into it', async () => {
    const source = memoryConfigSource();
    const config = openConfig({ service: 'service.test', version: '1', instance: 'inst_1', env: { A_COUNT: '3' }, log: logLines().log, source });
    const value = config.declare({ 'a.count': setting(z.coerce.number().default(1), { description: 'a count' }) })['a.count'];
    await config.start();
    assert.equal(value.get(), 3);
    for (const text of ['null', 'true', '[]', '[7]', '{}']) source.write('global', { 'a.count': text });
    assert.equal(value.get(), 3);
    source.write('global', { 'a.count': '5' });
    assert.equal(value.get(), 5);
    await config.close();
  });

  it('that is temporary wins in its target while it is there', async () => {
    const { values, source, config } = await open();
    source.set(SERVICE, { 'log.level': 'warn' });
    source.set(SERVICE, { 'log.level': 'debug' }, { temporary: true });
    assert.equal(values['log.level'].get(), 'debug');
    source.set(SERVICE, { 'log.level': 'info' });
    assert.equal(values['log.level'].get(), 'debug');
    assert.equal(source.applied.get('service.test/inst_1')?.settings['log.level']?.temporary, true);
    source.set('instance/inst_1', { 'log.level': 'warn' });
    assert.equal(values['log.level'].get(), 'warn', 'a later target wins over it');
    source.set('instance/inst_1', { 'log.level': undefined });
    source.set(SERVICE, { 'log.level': undefined }, { temporary: true });
    assert.equal(values['log.level'].get(), 'info');
    await config.close();
  });

  it('of a setting that is not live waits for the next start, and says so', async () => {
    const { values, source, config, lines } = await open({}, (before) => void before.set('global', { 'mail.workers': 6 }));
    assert.equal(values['mail.workers'].get(), 6);
    source.set('global', { 'mail.workers': 8 });
    const shown = (): unknown => source.applied.get('service.test/inst_1')?.settings['mail.workers'];
    assert.equal(values['mail.workers'].get(), 6);
    assert.deepEqual(shown(), { value: 6, source: 'global', layers: { default: 4 }, pending: 8 });
    assert.match(lines.at('warn').join(''), /mail\.workers.*takes effect at the next start/);
    source.set('global', { 'mail.workers': undefined });
    assert.deepEqual([values['mail.workers'].get(), (shown() as { pending: unknown }).pending], [6, 4]);
    source.set('global', { 'mail.workers': 6 });
    assert.deepEqual(shown(), { value: 6, source: 'global', layers: { default: 4 } });
    await config.close();
  });
});

describe('a secret', () => {
  const ring = keyringOf(KEYS);
  const place = { namespace: 'default', target: SERVICE, name: 'mail.password' };

  it('is decrypted where it stands, and shown nowhere', async () => {
    const { values, source, config, lines } = await open({ env: { ...KEYS, MAIL_PASSWORD: 'hunter1' } });
    source.set(SERVICE, { 'mail.password': ring.seal('hunter2', place) });
    assert.equal(values['mail.password'].get(), 'hunter2');
    source.set(SERVICE, { 'mail.password': ring.seal('hunter3', place) }, { temporary: true });
    assert.equal(values['mail.password'].get(), 'hunter3');
    const problems: string[] = [];
    for (const wrong of ['hunter4', ring.seal('h5', place), ring.seal({ hunter6: 'hunter6' }, place), ring.seal('hunter7', { ...place, target: 'global' }), { $secret: { key: 'k9', iv: '', data: '' } }]) {
      source.set(SERVICE, { 'mail.password': wrong }, { temporary: true });
      assert.equal(values['mail.password'].get(), 'hunter3');
      problems.push(failure(config));
    }
    source.write(SERVICE, { 'mail.password~': '"hunter8' });
    problems.push(failure(config));
    assert.match(problems.join('\n'), /is not encrypted.*\n.*too small.*\n.*expected string.*\n.*another place.*\n.*key "k9".*\n.*is no JSON \(a secret, not shown\)/);
    const shown = JSON.stringify([problems, lines.all, [...source.applied.values()], [...source.schemas.values()]]);
    assert.doesNotMatch(shown, /hunter|h5/);
    assert.deepEqual(source.applied.get('service.test/inst_1')?.settings['mail.password']?.value, '[secret]');
    assert.deepEqual(source.applied.get('service.test/inst_1')?.settings['mail.password']?.layers, { default: '[secret]', environment: '[secret]' });
    assert.equal(source.schemas.get('service.test@1.0.0')?.settings['mail.password']?.default, undefined);
    assert.doesNotMatch(JSON.stringify(source.schemas.get('service.test@1.0.0')?.settings['mail.password']), /none/);
    await config.close();
  });

  it('that was encrypted before the code calls it one is used, and not shown', async () => {
    const { values, source, config, lines } = await open({ env: KEYS });
    source.set(SERVICE, { 'mail.hosts': ring.seal(['hunter2'], { ...place, name: 'mail.hosts' }) });
    assert.deepEqual(values['mail.hosts'].get(), ['hunter2']);
    assert.doesNotMatch(JSON.stringify([lines.all, [...source.applied.values()]]), /hunter/);
    await config.close();
  });
});

describe('openConfig', () => {
  it('refuses names that are none, or taken, and what comes too late', async () => {
    const { config, values } = await open();
    assert.equal(config.declare({ 'log.level': SHAPE['log.level'] })['log.level'], values['log.level']);
    assert.throws(() => config.declare({ 'log.level': setting(z.string(), { description: 'another' }) }), /declared already/);
    assert.throws(() => config.declare({ 'too.late': setting(z.string(), { description: 'x' }) }), /too late/);
    await config.close();
    const other = openConfig({ service: 's', version: '1', instance: 'i', env: {}, log: logLines().log });
    for (const name of ['LOG_LEVEL', '', 'a..b', 'a-b', '1a', 'a.', '~', 'a~', `a${'b'.repeat(200)}`]) assert.throws(() => other.declare({ [name]: setting(z.string(), { description: 'x' }) }), /no name of a live setting/);
  });

  it('publishes what it takes, and shows what it has applied', async () => {
    const { config, source } = await open({ env: { LOG_LEVEL: 'debug' } });
    const schema = source.schemas.get('service.test@1.0.0');
    assert.deepEqual(schema?.settings['mail.workers'], {
      description: 'how many at once',
      default: 4,
      live: false,
      env: 'MAIL_WORKERS',
      schema: { $schema: 'https://json-schema.org/draft/2020-12/schema', default: 4, type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
    });
    const revision = source.set(SERVICE, { 'mail.timeout': '2s' });
    const applied = source.applied.get('service.test/inst_1');
    assert.equal(applied?.revision, String(revision));
    assert.equal(applied?.targets[SERVICE], String(revision));
    assert.deepEqual(applied?.settings['mail.timeout'], { value: '2s', source: 'service', layers: { default: 10_000 } });
    assert.deepEqual(applied?.settings['log.level'], { value: 'debug', source: 'environment', layers: { default: 'info', environment: 'debug' } });
    await config.close();
    assert.equal(source.applied.size, 0);
    source.set(SERVICE, { 'mail.timeout': '3s' });
  });
});
