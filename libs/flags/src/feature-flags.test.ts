import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { ProviderEvents } from '@openfeature/server-sdk';
import { mutableSetting, silentLogger, type Host, type Logger } from '@talaria/base';
import { runInCall } from '@talaria/context';
import { connectEtcd, etcdDocuments, type Etcd } from '@talaria/etcd';
import { engines, eventually, type EtcdProcess } from '@talaria/etcd/testing';
import { featureFlags, memoryFlagSource, parseAssignments, withAssignments, type ExposureSink, type FeatureFlags, type FlagSource } from './index.ts';

const onOff = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' };
const host = (more: Partial<Host> = {}): Host => ({ service: 'service.test', instance: 'inst_1', log: silentLogger, env: {}, ...more });
const soon = (): AbortSignal => AbortSignal.timeout(60_000);
const as = <T>(id: string, fn: () => T): T => runInCall({ principal: { id, clientId: 'client_1', scopes: [] } }, fn);

/** What was logged as an error. */
function errors(): { readonly log: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const log: Logger = { ...silentLogger, error: (message, fields) => void lines.push(`${message} ${JSON.stringify(fields)}`), with: () => log };
  return { log, lines };
}

/** Started, and stopped when the test ends. */
async function started(t: TestContext, options: Parameters<typeof featureFlags>[0], on: Host = host()): Promise<FeatureFlags> {
  const flags = featureFlags(options);
  t.after(() => flags.stop());
  await flags.start(on, soon());
  return flags;
}

const check = async (flags: FeatureFlags): Promise<unknown> => flags.checkers[0]?.check(soon());

describe('the flags of a service', () => {
  it('answer through an OpenFeature client, for the principal of the call', async (t) => {
    const targeting = { if: [{ '==': [{ var: 'targetingKey' }, 'user_1'] }, 'on'] };
    const flags = featureFlags({ source: memoryFlagSource({ flags: { a: { ...onOff, targeting }, text: { state: 'ENABLED', variants: { x: 'X' }, defaultVariant: 'x' }, n: { state: 'ENABLED', variants: { x: 7 }, defaultVariant: 'x' }, o: { state: 'ENABLED', variants: { x: { deep: [1] } }, defaultVariant: 'x' } } }) });
    t.after(() => flags.stop());
    const client = flags.client();
    assert.equal((await client.getBooleanDetails('a', true)).errorCode, 'PROVIDER_NOT_READY');
    await flags.start(host(), soon());
    await eventually('OpenFeature has noted it', () => client.providerStatus === 'READY');
    assert.equal(await client.getBooleanValue('a', true), false);
    assert.equal(await as('user_1', () => client.getBooleanValue('a', false)), true);
    assert.equal(await as('user_2', () => client.getBooleanValue('a', false)), false);
    assert.equal(await as('user_2', () => client.getBooleanValue('a', false, { targetingKey: 'user_1' })), true);
    assert.deepEqual([await client.getStringValue('text', ''), await client.getNumberValue('n', 0), await client.getObjectValue('o', {})], ['X', 7, { deep: [1] }]);
    const { errorCode, value, reason } = await client.getStringDetails('a', 'mine');
    assert.deepEqual({ errorCode, value, reason }, { errorCode: 'TYPE_MISMATCH', value: 'mine', reason: 'ERROR' });
  });

  it('keep the last good document in force, whole, and say which one is wrong', async (t) => {
    const source = memoryFlagSource({ flags: { a: { ...onOff, defaultVariant: 'on' } } });
    const { log, lines } = errors();
    const flags = await started(t, { source }, host({ log }));
    const a = (): boolean => flags.resolve('boolean', 'a', false, {}).value;
    const wrong = [
      'not json',
      'null',
      '[]',
      '{}',
      { flags: { a: { ...onOff, state: 'ON' } } },
      { flags: { b: onOff, a: { ...onOff, defaultVariant: 'nowhere' } } },
      { flags: { a: { ...onOff, targeting: { no_such_operator: [1] } }, b: onOff } },
      { flags: { a: onOff }, x: 'y'.repeat(1_000_000) },
      { flags: { a: { ...onOff, targeting: { $ref: 'e0' } } }, $evaluators: Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`e${at}`, { and: [{ $ref: `e${at + 1}` }, { $ref: `e${at + 1}` }] }])) },
    ];
    for (const [at, document] of wrong.entries()) {
      source.set('flags', document);
      assert.equal(a(), true, `after ${at}`);
      assert.equal(flags.resolve('boolean', 'b', false, {}).errorCode, 'FLAG_NOT_FOUND', `after ${at}`);
      await assert.rejects(async () => check(flags), /^Error: flags\/flags: /);
      assert.equal(lines.length, at + 1);
      source.set('other', { flags: {} });
      assert.equal(lines.length, at + 1, 'each is told once');
      source.set('other', undefined);
    }
    source.set('flags', { flags: { a: onOff } });
    assert.equal(a(), false);
    assert.deepEqual(await check(flags), { source: 'memory', state: 'current', flags: 1, experiments: 0, running: 0 });
    source.set('flags', undefined);
    assert.equal(flags.resolve('boolean', 'a', true, {}).errorCode, 'FLAG_NOT_FOUND');
  });

  it("takes what flagd loads where there is nothing better, and says what is wrong with it", async (t) => {
    const source = memoryFlagSource({ flags: { broken: { ...onOff, targeting: { no_such_operator: [1] } }, fine: { ...onOff, defaultVariant: 'on' } } });
    const flags = await started(t, { source });
    assert.equal(flags.resolve('boolean', 'fine', false, {}).value, true);
    assert.equal(flags.resolve('boolean', 'broken', true, {}).errorCode, 'PARSE_ERROR');
    await assert.rejects(async () => check(flags), /'broken'.*JSONLogic/);
  });

  it('reads a file, and sees when it changes', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'talaria-flags-'));
    t.after(() => rm(folder, { recursive: true }));
    const file = join(folder, 'flags.json');
    await writeFile(file, JSON.stringify({ flags: { a: onOff } }));
    const flags = await started(t, {}, host({ env: { TALARIA_FLAGS_FILE: file } }));
    assert.equal(flags.resolve('boolean', 'a', true, {}).value, false);
    await writeFile(file, JSON.stringify({ flags: { a: { ...onOff, defaultVariant: 'on' } } }));
    await eventually('the change is seen', () => flags.resolve('boolean', 'a', false, {}).value);
    await rm(file);
    await writeFile(file, '{');
    await eventually('what is wrong is noticed', async () => Promise.resolve(check(flags)).then(() => false, () => true));
    assert.equal(flags.resolve('boolean', 'a', false, {}).value, true);
  });

  it('tell OpenFeature of changes, and of being stale', async (t) => {
    const memory = memoryFlagSource({ flags: { a: onOff } });
    const reachable = mutableSetting(true);
    let tell = (): void => {};
    const source: FlagSource = { ...memory, name: 'a store', reachable, watch: (listener) => memory.watch((documents) => (tell = () => listener(documents))()) };
    const flags = await started(t, { source });
    const seen: unknown[] = [];
    const client = flags.client();
    client.addHandler(ProviderEvents.ConfigurationChanged, (details) => void seen.push(details?.flagsChanged));
    client.addHandler(ProviderEvents.Stale, () => void seen.push('stale'));
    memory.set('flags', { flags: { a: { ...onOff, defaultVariant: 'on' }, b: onOff } });
    await eventually('the change is told', () => seen.length === 1);
    reachable.set(false);
    await eventually('it is stale', () => client.providerStatus === 'STALE');
    assert.equal(await client.getBooleanValue('a', false), true);
    reachable.set(true);
    tell();
    await eventually('it is ready', () => client.providerStatus === 'READY');
    assert.deepEqual(seen, [['a', 'b'], 'stale']);
  });
});

describe('experiments', () => {
  const half = { key: 'customer', allocation: { on: [[0, 500_000]], off: [[500_000, 1_000_000]] } };
  const all = { key: 'customer', allocation: { on: [[0, 1_000_000]] } };

  it('decide by the bucket where no edge has, only for those who are eligible, and not once stopped', async (t) => {
    const source = memoryFlagSource({ flags: { a: onOff } });
    source.setExperiment('a', half);
    const flags = await started(t, { source });
    const answers = Array.from({ length: 400 }, (_, at) => flags.resolve('boolean', 'a', false, { targetingKey: `user_${at}` }));
    const on = answers.filter(({ value }) => value).length;
    assert.ok(on > 140 && on < 260, String(on));
    assert.deepEqual(answers.map(({ reason }) => reason).filter((reason) => reason !== 'SPLIT'), []);
    assert.deepEqual(Array.from({ length: 400 }, (_, at) => flags.resolve('boolean', 'a', false, { targetingKey: `user_${at}` })), answers);
    assert.equal(flags.resolve('boolean', 'a', true, {}).reason, 'STATIC', 'nobody is in no bucket');
    source.setExperiment('a', { ...all, eligible: { '==': [{ var: 'plan' }, 'gold'] } });
    assert.deepEqual(['gold', 'tin'].map((plan) => flags.resolve('boolean', 'a', false, { targetingKey: 'user_1', plan }).value), [true, false]);
    source.setExperiment('a', { ...all, state: 'stopped' });
    assert.equal(flags.resolve('boolean', 'a', true, { targetingKey: 'user_1' }).reason, 'STATIC');
    source.setExperiment('a', { key: 'device', allocation: all.allocation });
    assert.deepEqual([{ device: 'd' }, { targetingKey: 'user_1' }].map((context) => flags.resolve('boolean', 'a', false, context).value), [true, false]);
  });

  it('go by what the edge decided, in the whole call, for whom it decided it; a killed flag goes by nothing', async (t) => {
    const source = memoryFlagSource({ flags: { a: onOff } });
    const flags = await started(t, { source });
    assert.deepEqual(flags.baggage({ customer: 'user_1' }), { 'talaria-experiments': 'customer*user_1' }, 'what starts while the call is under way is not for it');
    source.setExperiment('a', all);
    const ask = (context = {}): unknown => as('user_1', () => flags.resolve('boolean', 'a', false, context).value);
    const decided = <T>(text: string, fn: () => T): T => withAssignments(parseAssignments(text), fn);
    assert.equal(ask(), true);
    assert.equal(decided('customer*user_1', () => ask()), false, 'that there is no variant was decided, too');
    assert.equal(decided('customer*user_1*a!off', () => ask()), false);
    assert.equal(decided('customer*user_1*a!off', () => ask({ targetingKey: 'user_2' })), true, 'about somebody else it is asked here');
    assert.equal(decided('device*d1', () => ask()), true, 'of the customer nothing was decided');
    assert.equal(decided('customer*user_1*a!nowhere', () => ask()), false);
    source.setExperiment('a', undefined);
    assert.equal(decided('customer*user_1*a!on', () => ask()), true, 'before this service knows of it');
    source.set('flags', { flags: { a: { ...onOff, state: 'DISABLED' } } });
    assert.equal(decided('customer*user_1*a!on', () => ask()), false);
  });

  it('that do not fit are left out, and named', async (t) => {
    const source = memoryFlagSource({ flags: { a: onOff, b: onOff, c: onOff } });
    const flags = await started(t, { source });
    for (const [name, document, reason] of [
      ['no-flag', all, /no flag no-flag/],
      ['a', { ...all, allocation: { gold: [[0, 5]] } }, /no variant gold/],
      ['a', { ...all, allocation: { on: [[0, 5]], off: [[4, 6]] } }, /buckets in common/],
      ['a', { ...all, key: 'planet' }, /key/],
      ['a', { ...all, allocation: { on: [[5, 1_000_001]] } }, /allocation/],
      ['a', { ...all, eligible: { no_such_operator: [] } }, /eligible/],
      ['a', '{', /not JSON/],
    ] as const) {
      source.setExperiment(name, document);
      await assert.rejects(async () => check(flags), reason);
      assert.equal(flags.resolve('boolean', 'a', false, { targetingKey: 'user_1' }).value, false);
      source.setExperiment(name, undefined);
    }
    source.setExperiment('b', { ...half, group: 'g' });
    source.setExperiment('c', { ...all, group: 'g' });
    await assert.rejects(async () => check(flags), /experiments\/c: it has buckets in common with b/);
  });

  it('travel within the limits of baggage; what does not fit takes no part anywhere', async (t) => {
    const names = Array.from({ length: 200 }, (_, at) => `experiment-${String(at).padStart(3, '0')}-with-a-rather-long-name`);
    const source = memoryFlagSource({ flags: Object.fromEntries(names.map((name) => [name, onOff])) });
    for (const name of names) source.setExperiment(name, all);
    const flags = await started(t, { source });
    const text = flags.baggage({ customer: 'user_1' })['talaria-experiments'] ?? '';
    assert.ok(encodeURIComponent(text).length <= 4_096 && text.length > 3_500);
    const carried = parseAssignments(text);
    const fits = carried.get('customer')?.variants.size ?? 0;
    assert.ok(fits > 50 && fits < 200);
    withAssignments(carried, () => {
      assert.equal(flags.resolve('boolean', names[0] ?? '', false, { targetingKey: 'user_1' }).value, true);
      assert.equal(flags.resolve('boolean', names[199] ?? '', false, { targetingKey: 'user_1' }).value, false);
    });
    assert.throws(() => parseAssignments('planet*earth'));
  });

  it('tell of each subject and variant once, and go on trying while the sink fails', async (t) => {
    const told: string[] = [];
    let failing = true;
    const sink: ExposureSink = {
      async publishOnce(type, { id, subject, data }) {
        if (failing) throw new Error('the database is away');
        told.push(`${type} ${subject} ${(data as { variant: string }).variant} ${id}`);
      },
    };
    const source = memoryFlagSource({ flags: { a: onOff, b: onOff } });
    source.setExperiment('a', half);
    const flags = await started(t, { source, exposures: sink });
    for (let time = 0; time < 5; time++) for (const id of ['u1', 'u2', 'u3']) flags.resolve('boolean', 'a', false, { targetingKey: id });
    flags.resolve('boolean', 'b', false, { targetingKey: 'u1' });
    failing = false;
    await eventually('all are told', () => told.length >= 3);
    await flags.stop();
    assert.deepEqual(told.map((line) => line.split(' ')[1]).toSorted(), ['u1', 'u2', 'u3']);
    assert.equal(new Set(told.map((line) => line.split(' ')[3])).size, 3);
  });
});

for (const engine of engines.slice(0, 1)) {
  describe(`flags in ${engine.name}`, { skip: engine.skip }, () => {
    let server: EtcdProcess;
    let etcd: Etcd;
    let stateDir: string;
    const put = (key: string, value: unknown): Promise<void> => etcd.put(`talaria/default/${key}`, JSON.stringify(value));
    before(async () => {
      server = await engine.start();
      etcd = connectEtcd({ endpoints: server.endpoint, log: silentLogger });
      stateDir = await mkdtemp(join(tmpdir(), 'talaria-flags-'));
    });
    after(async () => {
      etcd?.close();
      await server?.stop();
      await rm(stateDir, { recursive: true, force: true });
    });
    const onEtcd = (): Host => host({ env: { TALARIA_STATE_DIR: stateDir }, documents: etcdDocuments({ etcd, log: silentLogger }) });

    it('change while the service runs, and outlive etcd, also over a start', async (t) => {
      await put('flags/one', { flags: { a: onOff } });
      const flags = await started(t, {}, onEtcd());
      const on = (of: FeatureFlags): boolean => of.resolve('boolean', 'a', false, {}).value;
      assert.equal(on(flags), false);
      await put('flags/one', { flags: { a: { ...onOff, defaultVariant: 'on' } } });
      await eventually('the change is there', () => on(flags));
      const kept = join(stateDir, 'flags', 'service.test.json');
      await eventually('it is on disk', async () => (await readFile(kept, 'utf8')).includes('\\"defaultVariant\\":\\"on\\"'));
      assert.equal((await stat(kept)).mode & 0o777, 0o600);

      await server.kill();
      const client = flags.client();
      await eventually('it is stale', () => client.providerStatus === 'STALE');
      assert.equal(on(flags), true);
      const later = await started(t, {}, onEtcd());
      assert.equal(on(later), true);
      await eventually('that is stale, too', () => later.client().providerStatus === 'STALE');
      const stranger = await started(t, {}, { ...onEtcd(), service: 'service.new' });
      assert.equal(stranger.client().providerStatus, 'ERROR');
      assert.equal(on(stranger), false);
      assert.deepEqual(stranger.baggage({ customer: 'user_1' }), {}, 'it knows nothing, and decides nothing');

      await server.restart();
      for (const each of [flags, later, stranger]) {
        await eventually('it is ready again', () => each.client().providerStatus === 'READY');
        assert.equal(on(each), true);
      }
      await server.restart({ empty: true });
      await eventually('the loss is noticed', async () => Promise.resolve().then(() => check(flags)).then(() => false, (error: Error) => error.message.includes('flags/one: etcd has lost it')));
      assert.equal(on(flags), true);
      await put('flags/one', { flags: { a: { ...onOff, defaultVariant: 'on' } } });
      await eventually('all is well', async () => Promise.resolve().then(() => check(flags)).then(() => true, () => false));
    });
  });
}
