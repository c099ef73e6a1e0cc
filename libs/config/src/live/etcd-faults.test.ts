import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { silentLogger } from '@talaria/base';
import { connectEtcd, type Etcd } from '@talaria/etcd';
import { engines, eventually, type Engine, type EtcdProcess } from '@talaria/etcd/testing';
import { Etcd3 } from 'etcd3';
import { z } from 'zod';
import { duration, etcdConfigSource, keyringOf, openConfig, setting, type AppliedState, type LiveConfig } from '../index.ts';
import { logLines, type Lines } from '../testing/lines.ts';

const BASE = 'talaria/test/';
const OWN = `${BASE}config/service/service.test/`;
const KEYS = { TALARIA_CONFIG_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}` };
const SHAPE = {
  'log.level': setting(z.enum(['debug', 'info', 'warn', 'error']).default('info'), { description: 'what is logged' }),
  'mail.timeout': setting(duration().default(10_000), { description: 'how long an attempt may take' }),
  'mail.password': setting(z.string().default('none'), { description: 'of the server', secret: true }),
} as const;

describe('live settings', { concurrency: true }, () => {
  for (const engine of engines) describe(`in ${engine.name}`, { skip: engine.skip, concurrency: false }, () => faults(engine));
});

interface Running {
  readonly config: LiveConfig;
  readonly etcd: Etcd;
  readonly lines: Lines;
  readonly seen: string[];
  level(): string;
  timeout(): number;
  password(): string;
  failure(): string;
  close(): Promise<void>;
}

function faults(engine: Engine): void {
  let server: EtcdProcess;
  let writer: Etcd;
  let root: string;
  let stateDir: string;
  const open = new Set<Running>();

  before(async () => {
    server = await engine.start();
    writer = connectEtcd({ endpoints: server.endpoint, log: silentLogger, requestTimeoutMs: 1000, pulseMs: 200 });
    root = await mkdtemp(join(tmpdir(), 'talaria-config-'));
  });
  beforeEach(async () => {
    for (const each of open) await each.close();
    await writing(async () => {
      for (const { key } of (await writer.list(BASE)).entries) await writer.delete(key);
    });
    stateDir = await mkdtemp(join(root, 'state-'));
  });
  after(async () => {
    for (const each of open) await each.close();
    writer?.close();
    await server?.stop();
    await rm(root, { recursive: true, force: true });
  });

  const start = async (options: { readonly version?: string; readonly instance?: string; readonly waitMs?: number } = {}): Promise<Running> => {
    const { version = '1', instance = 'inst_1', waitMs = 10_000 } = options;
    const lines = logLines();
    const etcd = connectEtcd({ endpoints: server.endpoint, log: lines.log, requestTimeoutMs: 1000, pulseMs: 100 });
    const source = etcdConfigSource({ etcd, log: lines.log, namespace: 'test' });
    const config = openConfig({ service: 'service.test', version, instance, env: KEYS, log: lines.log, namespace: 'test', source, stateDir, waitMs });
    const values = config.declare(SHAPE);
    const seen: string[] = [];
    values['log.level'].onChange((value) => seen.push(value));
    const running: Running = {
      config,
      etcd,
      lines,
      seen,
      level: () => values['log.level'].get(),
      timeout: () => values['mail.timeout'].get(),
      password: () => values['mail.password'].get(),
      failure() {
        try {
          void config.checker.check(new AbortController().signal);
          return '';
        } catch (error) {
          return (error as Error).message;
        }
      },
      async close() {
        if (!open.delete(running)) return;
        await config.close();
        etcd.close();
      },
    };
    open.add(running);
    await config.start();
    return running;
  };
  /** Until etcd takes it. */
  const writing = async (work: () => Promise<unknown>): Promise<void> =>
    eventually('etcd takes writes', () =>
      work().then(
        () => true,
        () => false,
      ),
    );
  const put = (name: string, value: string): Promise<void> => writing(() => writer.put(`${OWN}${name}`, value));
  const applied = async (instance = 'inst_1'): Promise<AppliedState | undefined> => {
    const entry = await writer.get(`${BASE}applied/service.test/${instance}`).catch(() => undefined);
    return entry && (JSON.parse(entry.value.toString()) as AppliedState);
  };
  const file = (): string => join(stateDir, 'config', 'service.test.json');
  const kept = (text: string): Promise<void> => eventually(`${text} is on disk`, async () => (await readFile(file(), 'utf8').catch(() => '')).includes(text));

  it('are those of etcd at the start, and no layer shows for a moment', async () => {
    await writer.put(`${BASE}config/global/log.level`, '"warn"');
    await put('log.level', '"debug"');
    await writer.put(`${BASE}config/service/service.test2/log.level`, '"error"');
    await writer.put(`${BASE}config/version/service.test@1.0/log.level`, '"error"');
    const one = await start();
    assert.equal(one.level(), 'debug');
    assert.deepEqual(one.seen, ['debug']);
    for (const [target, level] of [['version/service.test@1', 'warn'], ['instance/inst_1', 'error']] as const) {
      await writer.put(`${BASE}config/${target}/log.level`, JSON.stringify(level));
      await eventually(`it is ${level}`, () => one.level() === level);
    }
    await writer.delete(`${BASE}config/instance/inst_1/log.level`);
    await eventually('it is warn', () => one.level() === 'warn');
  });

  it('change together if they were written together, or not at all', async () => {
    const one = await start();
    const pairs: string[] = [];
    const look = (): void => void pairs.push(`${one.level()} ${one.timeout()}`);
    const values = one.seen;
    await writer.transaction({ compare: [], success: [{ put: `${OWN}log.level`, value: '"warn"' }, { put: `${OWN}mail.timeout`, value: '1000' }] });
    await eventually('it is applied', () => one.level() === 'warn');
    await kept('warn');
    look();
    await writer.transaction({ compare: [], success: [{ put: `${OWN}log.level`, value: '"loud"' }, { delete: `${OWN}mail.timeout` }] });
    await eventually('it is refused', () => one.failure() !== '');
    look();
    const other = await start({ instance: 'inst_2' });
    assert.deepEqual([other.level(), other.timeout()], ['warn', 1_000], 'from disk: the last good values');
    await put('log.level', '"debug"');
    await eventually('both apply it', () => one.level() === 'debug' && other.level() === 'debug');
    look();
    assert.deepEqual(pairs, ['warn 1000', 'warn 1000', 'debug 10000']);
    assert.equal(other.timeout(), 10_000);
    assert.deepEqual(values, ['warn', 'debug']);
    assert.equal(one.lines.at('error').length, 1, one.lines.at('error').join(''));
  });

  it('stay as they are for what is no value, and for keys that are none', async () => {
    await put('log.level', '"warn"');
    const one = await start();
    await writer.put(`${OWN}log.level`, 'x'.repeat(1_000_000));
    await eventually('it is refused', () => one.failure().includes('1000000 bytes'));
    for (const key of ['log.level/x', 'LOG', ' ', 'ключ', '../x', 'log.level~~', '"', '\u0000', 'a'.repeat(2_000)]) await writer.put(`${OWN}${key}`, Buffer.from([0xff, 0x00]));
    await writer.put(`${OWN}other.setting`, 'y'.repeat(1_000_000));
    await put('mail.timeout', '"3s"');
    await eventually('the next one is applied', () => one.timeout() === 3_000);
    assert.equal(one.level(), 'warn');
    assert.ok(one.lines.all.every((line) => line.length < 2_000));
    await put('log.level', '"debug"');
    await eventually('it is well again', () => one.failure() === '' && one.level() === 'debug');
  });

  it('that are temporary end by themselves, all at once', async () => {
    await put('log.level', '"warn"');
    const one = await start();
    const { id } = await writer.leases.grant(2);
    await writer.transaction({ compare: [], success: [{ put: `${OWN}log.level~`, value: '"debug"', lease: id }, { put: `${OWN}mail.timeout~`, value: '"1s"', lease: id }] });
    await eventually('they are applied', () => one.level() === 'debug' && one.timeout() === 1_000);
    await eventually('that is shown', async () => (await applied())?.settings['log.level']?.temporary === true);
    await kept('log.level');
    assert.ok(!(await readFile(file(), 'utf8')).includes('~'));
    await eventually('they end', () => one.level() === 'warn' && one.timeout() === 10_000);
    assert.deepEqual(one.seen, ['warn', 'debug', 'warn']);
  });

  it('go on while etcd is away, and catch up', async () => {
    await put('log.level', '"warn"');
    const one = await start();
    await server.kill();
    await eventually('it is noticed', () => one.etcd.state.get() === 'unreachable');
    assert.deepEqual([one.level(), one.failure()], ['warn', '']);
    await server.restart();
    await put('log.level', '"debug"');
    await eventually('it has caught up', () => one.level() === 'debug');
    server.freeze();
    await eventually('the freeze is noticed', () => one.etcd.state.get() === 'unreachable');
    assert.equal(one.level(), 'debug');
    server.thaw();
    await put('log.level', '"error"');
    await eventually('it has caught up again', () => one.level() === 'error');
    await eventually('what is applied is there again', async () => (await applied())?.settings['log.level']?.value === 'error');
  });

  it('that are removed while nobody looks are gone', async () => {
    await put('log.level', '"warn"');
    await put('mail.timeout', '"1s"');
    const one = await start();
    await kept('mail.timeout');
    await one.close();
    await writer.delete(`${OWN}mail.timeout`);
    const again = await start();
    assert.deepEqual([again.level(), again.timeout(), again.failure()], ['warn', 10_000, '']);
  });

  it('start from disk without etcd, loudly, secrets encrypted, and catch up', async () => {
    const secret = keyringOf(KEYS).seal('hunter2', { namespace: 'test', target: 'service/service.test', name: 'mail.password' });
    await put('log.level', '"warn"');
    await put('mail.password', JSON.stringify(secret));
    const first = await start();
    assert.equal(first.password(), 'hunter2');
    await kept('mail.password');
    await first.close();
    assert.doesNotMatch(await readFile(file(), 'utf8'), /hunter2/);
    assert.equal((await stat(file())).mode & 0o777, 0o600);

    await server.kill();
    const one = await start({ waitMs: 300 });
    assert.deepEqual([one.level(), one.password()], ['warn', 'hunter2']);
    assert.match(one.lines.at('warn').join(''), /does not answer: starting with the settings that were last known/);
    assert.match(JSON.stringify(await one.config.checker.check(new AbortController().signal)), /last_known/);
    await server.restart();
    await put('log.level', '"debug"');
    await eventually('it has caught up', () => one.level() === 'debug');
    assert.match(one.lines.at('info').join(''), /following the settings again/);
    assert.doesNotMatch(JSON.stringify(await one.config.checker.check(new AbortController().signal)), /last_known/);
    assert.doesNotMatch([...first.lines.all, ...one.lines.all].join(''), /hunter2/);
    await eventually('what is applied is shown', async () => (await applied())?.settings['log.level']?.value === 'debug');
    assert.doesNotMatch(JSON.stringify((await writer.list(BASE)).entries.map(({ value }) => value.toString())), /hunter2/);
  });

  it('start without etcd and without disk, and from a file that is damaged', async () => {
    await put('log.level', '"warn"');
    await (await start()).close();
    await kept('log.level');
    await writeFile(file(), '{"format":1,');
    await server.kill();
    const one = await start({ waitMs: 200 });
    assert.equal(one.level(), 'info');
    assert.match(one.lines.at('warn').join(''), /cannot be read from disk.*\n.*no settings are known from before/s);
    await server.restart();
    await eventually('it has caught up', () => one.level() === 'warn');
  });

  it('are followed although the disk takes nothing, with one line', async () => {
    await writeFile(join(stateDir, 'config'), 'a file where the folder should be');
    await chmod(stateDir, 0o755);
    const one = await start();
    for (const level of ['warn', 'debug', 'error']) {
      await put('log.level', JSON.stringify(level));
      await eventually(`it is ${level}`, () => one.level() === level);
    }
    await one.close();
    assert.equal(one.lines.at('warn').filter((line) => line.includes('cannot be kept on disk')).length, 1);
  });

  it('stay in force when etcd has lost its data, loudly, until they are written or removed again', async () => {
    await put('log.level', '"warn"');
    await put('mail.timeout', '"1s"');
    const one = await start();
    await eventually('its schema is published', async () => (await writer.get(`${BASE}schemas/service.test@1`)) !== undefined);
    await kept('mark');
    await server.restart({ empty: true });
    await eventually('it is noticed', () => one.failure().includes('lost'));
    assert.deepEqual([one.level(), one.timeout()], ['warn', 1_000]);
    assert.match(one.lines.at('error').join(''), /has lost settings.*talaria config set/);
    await one.close();

    // Again from disk, and with the new store ahead of the old one's revision.
    await writing(async () => {
      await Promise.all(Array.from({ length: 100 }, (_, at) => writer.put(`filler/${at}`, '')));
    });
    const again = await start();
    assert.deepEqual([again.level(), again.timeout()], ['warn', 1_000]);
    assert.match(again.failure(), /has lost (log\.level, mail\.timeout|mail\.timeout, log\.level)/);
    await put('log.level', '"debug"');
    await eventually('the one that is written is applied', () => again.level() === 'debug');
    assert.equal(again.timeout(), 1_000);
    await put('mail.timeout', '"2s"');
    await eventually('all is well', () => again.failure() === '' && again.timeout() === 2_000);
    await writer.delete(`${OWN}mail.timeout`);
    await eventually('a removal counts', () => again.timeout() === 10_000);
  });

  it('know another store although it has come further than the old one', async () => {
    await put('log.level', '"warn"');
    const one = await start();
    await kept('mark');
    await one.close();
    await server.restart({ empty: true });
    await writing(async () => {
      await Promise.all(Array.from({ length: 400 }, (_, at) => writer.put(`filler/${at}`, '')));
    });
    const again = await start();
    assert.equal(again.level(), 'warn');
    assert.match(again.failure(), /has lost log\.level/);
  });

  it('miss nothing when history is compacted', async () => {
    await put('log.level', '"warn"');
    const one = await start();
    await put('log.level', '"debug"');
    const { revision } = await writer.list(OWN);
    const raw = new Etcd3({ hosts: server.endpoint });
    await raw.kv.compact({ revision: String(revision) });
    raw.close();
    await server.restart();
    await put('log.level', '"error"');
    await eventually('it has caught up', () => one.level() === 'error');
    assert.equal(one.failure(), '');
  });

  it('are shown by each instance, and what it takes by each version', async () => {
    const [one, two] = [await start(), await start({ instance: 'inst_2', version: '2' })];
    await put('log.level', '"warn"');
    const { modRevision } = (await writer.get(`${OWN}log.level`)) ?? { modRevision: 0n };
    for (const instance of ['inst_1', 'inst_2']) {
      await eventually(`${instance} shows it`, async () => (await applied(instance))?.targets['service/service.test'] === String(modRevision));
      assert.deepEqual((await applied(instance))?.settings['log.level'], { value: 'warn', source: 'service', layers: { default: 'info' } });
    }
    const schemas = (await writer.list(`${BASE}schemas/`)).entries.map(({ key, value }) => [key, (JSON.parse(value.toString()) as { settings: object }).settings] as const);
    assert.deepEqual(schemas.map(([key]) => key), [`${BASE}schemas/service.test@1`, `${BASE}schemas/service.test@2`]);
    assert.deepEqual(Object.keys(schemas[0]?.[1] ?? {}), ['log.level', 'mail.password', 'mail.timeout']);
    await Promise.all([one.close(), two.close()]);
    assert.equal(await applied(), undefined);
  });
}
