import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { engines, eventually, type EtcdProcess } from '@talaria/etcd/testing';
import { keyringOf } from '../secrets.ts';
import { ConfigStoreError, parseTarget, typedValue, type Change, type ConfigStoreErrorCode, type GivenValue, type Target } from './index.ts';
import { fixture, key, type Fixture } from './testing/fixture.ts';

const ACCOUNT: Target = parseTarget('service.account');
const GLOBAL: Target = parseTarget('global');

const refusal =
  (code: ConfigStoreErrorCode, says: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof ConfigStoreError, String(error));
    assert.match(error.message, says);
    assert.equal(error.code, code, error.message);
    assert.doesNotMatch(error.message, /hunter/);
    return true;
  };

for (const engine of engines) {
  describe(`stored configuration in ${engine.name}`, { skip: engine.skip }, () => {
    let server: EtcdProcess;
    let it_: Fixture;
    before(async () => (server = await engine.start()));
    after(() => server?.stop());
    beforeEach(async () => {
      it_?.close();
      it_ = fixture(server.endpoint);
      await it_.publish('service.account', '1.0.0');
    });
    after(() => it_?.close());

    const texts = async (): Promise<Record<string, string>> => {
      const { entries } = await it_.etcd.list(it_.key('config/'));
      return Object.fromEntries(entries.map((entry) => [entry.key.slice(it_.key('config/').length), entry.value.toString()]));
    };
    const set = async (values: Readonly<Record<string, GivenValue | undefined>>, why = 'because', target: Target = ACCOUNT): Promise<Change> => {
      const { change } = await it_.store().set(target, values, { why });
      assert.ok(change);
      return change;
    };

    it('sets several settings in one revision, with a record of who, when and why', async () => {
      const change = await set({ 'log.level': typedValue('debug'), 'telemetry.sampling': 0.1 }, 'hunting a leak');
      assert.deepEqual(await texts(), { 'service/service.account/log.level': '"debug"', 'service/service.account/telemetry.sampling': '0.1' });
      const { entries } = await it_.etcd.list(it_.key(''));
      const written = entries.filter(({ modRevision }) => modRevision === change.revision).map(({ key }) => key.split('/')[2]);
      assert.deepEqual(written, ['config', 'config', 'history']);
      const [first] = await it_.store().history();
      assert.deepEqual(first, change);
      assert.equal(change.who, 'ada');
      assert.equal(change.why, 'hunting a leak');
      assert.ok(Math.abs(Date.now() - Date.parse(change.at)) < 600_000);
      assert.deepEqual(change.settings, [{ name: 'log.level', after: 'debug' }, { name: 'telemetry.sampling', after: 0.1 }]);
      assert.deepEqual((await set({ 'log.level': 'warn' })).settings, [{ name: 'log.level', before: 'debug', after: 'warn' }]);
      assert.deepEqual((await set({ 'log.level': undefined })).settings, [{ name: 'log.level', before: 'warn' }]);
      assert.deepEqual(Object.keys(await texts()), ['service/service.account/telemetry.sampling']);
    });

    it('writes nothing when all is so already', async () => {
      await set({ 'log.level': 'debug', 'mail.password': 'hunter22' });
      assert.equal((await it_.store().set(ACCOUNT, { 'log.level': 'debug', 'mail.password': 'hunter22' })).change, undefined);
      assert.equal((await it_.store().set(ACCOUNT, { 'webhook.name': undefined })).change, undefined);
      assert.equal((await it_.store().history()).length, 1);
    });

    it('refuses what nobody takes, and says what is expected', async () => {
      await it_.publish('service.transaction', '1.0.0', ['log.level']);
      const store = it_.store();
      const cases: readonly (readonly [target: string, name: string, value: GivenValue, code: ConfigStoreErrorCode, says: RegExp])[] = [
        ['service.account', 'log.level', 'loud', 'invalid_value', /^log\.level takes one of "debug", "info" or "warn", not "loud" \(what log\.level is for\)\.$/],
        ['service.account', 'telemetry.sampling', 2, 'invalid_value', /takes a number from 0 to 1, not 2/],
        ['service.account', 'telemetry.sampling', typedValue('much'), 'invalid_value', /takes a number from 0 to 1, not "much"/],
        ['service.account', 'webhook.workers', 1.5, 'invalid_value', /takes a whole number from 1 to 100, not 1\.5/],
        ['service.account', 'webhook.delays', ['1s', 'soon'], 'invalid_value', /webhook\.delays\[1\] takes a time, such as 500ms, 10s or 1h30m, not "soon"/],
        ['service.account', 'webhook.delays', [], 'invalid_value', /takes a list of times, such as 500ms, 10s or 1h30m \(1 to 20\), not \[\]/],
        ['service.account', 'webhook.delays', typedValue('["1s"'), 'invalid_value', /no JSON either/],
        ['service.account', 'webhook.name', 'x'.repeat(70_000), 'invalid_value', /69 KiB, and a value may have 64/],
        ['service.account', 'mail.password', 'hunter', 'invalid_value', /takes a text of at least 8 characters .*secret, and not shown/],
        ['service.account', 'log.levle', 'debug', 'unknown_setting', /has no setting "log\.levle"\. Did you mean "log\.level"\?/],
        ['service.transaction', 'mail.password', 'hunter22', 'unknown_setting', /service\.account@1\.0\.0 has it/],
        ['global', 'no.such', 1, 'unknown_setting', /^No service has a setting "no\.such"/],
        ['service.acount', 'log.level', 'debug', 'unknown_target', /Did you mean "service\.account"\?/],
        ['service.account@2', 'log.level', 'debug', 'unknown_target', /No version "2" of service\.account has published its settings: 1\.0\.0 has/],
        ['inst_1', 'log.level', 'debug', 'unknown_target', /No instance inst_1 runs/],
        ['service.account', 'Log.Level', 'debug', 'malformed', /no name of a setting/],
      ];
      for (const [target, name, value, code, says] of cases) await assert.rejects(store.set(parseTarget(target), { [name]: value }), refusal(code, says), `${target} ${name}`);
      await assert.rejects(store.set(ACCOUNT, { 'webhook.name': 'x', 'log.level': 'loud' }), refusal('invalid_value', /log\.level/));
      assert.throws(() => parseTarget('a/b'), refusal('malformed', /is no target: write global/));
      assert.deepEqual(await texts(), {});
      assert.deepEqual(await store.history(), []);
    });

    it('takes a text for JSON only where the setting does', async () => {
      await set({ 'webhook.name': typedValue('12'), 'telemetry.sampling': typedValue('0.5'), 'webhook.delays': typedValue('["1s",2000]'), 'log.level': typedValue('"warn"') });
      assert.deepEqual((await it_.store().get(ACCOUNT)).settings.map(({ name, permanent }) => [name, permanent?.value]), [['log.level', 'warn'], ['telemetry.sampling', 0.5], ['webhook.delays', ['1s', 2000]], ['webhook.name', '12']]);
    });

    it('checks against the versions that run, and what is for all against all', async () => {
      await it_.publish('service.account', '0.9.0', ['log.level']);
      await assert.rejects(it_.store().set(ACCOUNT, { 'webhook.name': 'x' }), refusal('unknown_setting', /webhook\.name/));
      await it_.show('service.account', '1.0.0', 'inst_a');
      await set({ 'webhook.name': 'x' });
      await it_.etcd.put(it_.key('schemas/service.odd@1'), JSON.stringify({ service: 'service.odd', version: '1', settings: { 'log.level': { description: '', live: true, env: '', schema: { enum: ['loud'] } }, 'mail.password': { description: '', live: true, env: '', schema: {} } } }));
      await assert.rejects(it_.store().set(GLOBAL, { 'log.level': 'debug' }), refusal('invalid_value', /takes "loud", not "debug": says service\.odd@1/));
      await assert.rejects(it_.store().set(GLOBAL, { 'mail.password': 'hunter22' }), refusal('invalid_value', /secret of some/));
      await set({ 'webhook.workers': 3 }, '', GLOBAL);
      await set({ 'log.level': 'warn' }, '', parseTarget('inst_a'));
      assert.deepEqual((await it_.store().set(ACCOUNT, { 'webhook.workers': 4, 'log.level': 'info' })).atNextStart, ['webhook.workers']);
    });

    it('lets exactly one of two writers win, and tells the other by whom', async () => {
      const results = await Promise.allSettled(['ada', 'bob', 'cyd', 'dan'].map((who, at) => it_.store(who).set(ACCOUNT, { 'telemetry.sampling': at / 10 }, { why: `says ${who}` })));
      const won = results.filter((each) => each.status === 'fulfilled');
      const history = await it_.store().history();
      assert.equal(history.length, won.length);
      for (const each of results) if (each.status === 'rejected') refusal('conflict', /^Nothing was changed, as somebody was faster: (ada|bob|cyd|dan) set telemetry\.sampling to 0\S* \(service\.account, chg_\w+\) at \d{4}-.*Z, because "says \w+"\.$/)(each.reason);
      // Each change stands on the one before it.
      for (const [at, change] of history.entries()) assert.deepEqual(change.settings[0]?.before, history[at + 1]?.settings[0]?.after);
    });

    it('refuses what was changed after the revision that somebody saw, also if that was undone or unset', async () => {
      const store = it_.store();
      await set({ 'log.level': 'debug' });
      const { revision } = await store.get(ACCOUNT);
      await set({ 'telemetry.sampling': 0.5 });
      assert.ok((await store.set(ACCOUNT, { 'log.level': 'warn' }, { ifRevision: revision })).change, 'another setting is nobody’s concern');
      await assert.rejects(store.set(ACCOUNT, { 'log.level': 'info' }, { ifRevision: revision }), refusal('conflict', /not any more what it was at revision \d+: ada set log\.level to "warn"/));
      const seen = (await store.get(ACCOUNT)).revision;
      await set({ 'log.level': undefined }, 'gone');
      await assert.rejects(store.set(ACCOUNT, { 'log.level': 'info' }, { ifRevision: seen }), refusal('conflict', /ada unset log\.level \(service\.account.*because "gone"/));
      await it_.etcd.put(it_.key('config/service/service.account/webhook.name'), '"x"');
      await assert.rejects(store.set(ACCOUNT, { 'webhook.name': 'y' }, { ifRevision: seen }), refusal('conflict', /somebody wrote webhook\.name .* without a record/));
      await assert.rejects(store.set(ACCOUNT, { 'webhook.name': 'y' }, { ifRevision: 1_000_000_000n }), refusal('conflict', /no revision 1000000000 yet/));
    });

    it('keeps secrets encrypted where they are, and shows them to nobody', async () => {
      const change = await set({ 'mail.password': typedValue('hunter22') });
      await set({ 'mail.password': 'hunter23' });
      const { entries } = await it_.etcd.list(it_.key(''));
      for (const entry of entries) assert.doesNotMatch(entry.value.toString(), /hunter/);
      const said = JSON.stringify([change, await it_.store().history(), await it_.store().get(ACCOUNT), await it_.store().explain(ACCOUNT)], (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
      assert.doesNotMatch(said, /hunter|\$secret/);
      assert.match(said, /\[secret\]/);
      const place = { namespace: it_.namespace, target: 'service/service.account', name: 'mail.password' };
      const stored = JSON.parse((await texts())['service/service.account/mail.password'] ?? '') as never;
      assert.equal(it_.keyring.open(stored, place), 'hunter23');
      await assert.rejects(it_.store('ada', keyringOf({})).set(ACCOUNT, { 'mail.password': 'hunter24' }), refusal('no_key', /set TALARIA_CONFIG_KEYS/));
    });

    it('encrypts anew with another key, history included, and keeps everything readable by it alone', async () => {
      const change = await set({ 'mail.password': 'hunter22' });
      await set({ 'mail.password': 'hunter23' });
      await it_.store().set(ACCOUNT, { 'mail.password': 'hunter24' }, { forMs: 600_000 });
      const fresh = key('k2');
      const first = await it_.store().rekey();
      assert.deepEqual([first.changes.length, first.records], [0, 0]);
      const lost = await it_.store('eve', keyringOf({ TALARIA_CONFIG_KEYS: fresh })).rekey();
      assert.match(lost.problems[0] ?? '', /"k1", which TALARIA_CONFIG_KEYS lacks/);

      const old = it_.keyring;
      const both = { ids: ['k2', 'k1'], seal: keyringOf({ TALARIA_CONFIG_KEYS: fresh }).seal, open: ((sealed, place) => (sealed.$secret.key === 'k1' ? old : keyringOf({ TALARIA_CONFIG_KEYS: fresh })).open(sealed, place)) as typeof old.open };
      const { changes, records, problems } = await it_.store('eve', both).rekey({ why: 'the yearly one' });
      assert.deepEqual(problems, []);
      assert.equal(changes.length, 1);
      assert.equal(records, 3);
      const onlyNew = it_.store('ada', keyringOf({ TALARIA_CONFIG_KEYS: fresh }));
      assert.deepEqual((await onlyNew.validate()).problems, []);
      const temporary = await it_.etcd.get(it_.key('config/service/service.account/mail.password~'));
      assert.notEqual(temporary?.lease, '0');
      const history = await onlyNew.history();
      assert.equal(history[0]?.rekey, true);
      assert.equal(history.at(-1)?.id, change.id);
      // A key is no change: what was before can be had back.
      await onlyNew.rollback(history[1]?.id ?? '');
      await onlyNew.rollback(history[2]?.id ?? '');
      await assert.rejects(onlyNew.rollback(history[0]?.id ?? ''), refusal('malformed', /changed none of them/));
    });

    it('sets for a while, on a lease, over the permanent value', async () => {
      const store = it_.store();
      await set({ 'log.level': 'info' });
      const { change } = await store.set(ACCOUNT, { 'log.level': 'debug' }, { forMs: 600_000, why: 'a look' });
      assert.equal(change?.forMs, 600_000);
      assert.deepEqual(change?.settings, [{ name: 'log.level', before: 'info', after: 'debug' }]);
      const [found] = (await store.get(ACCOUNT, 'log.level')).settings;
      assert.deepEqual([found?.permanent?.value, found?.temporary?.value], ['info', 'debug']);
      assert.ok((found?.temporary?.secondsLeft ?? 0) > 500);
      assert.equal((await it_.etcd.get(it_.key('config/service/service.account/log.level')))?.lease, '0');
      // What is set for good holds from now on.
      assert.deepEqual((await set({ 'log.level': 'warn' })).settings, [{ name: 'log.level', before: 'info', after: 'warn', endedTemporary: 'debug' }]);
      assert.deepEqual(await texts(), { 'service/service.account/log.level': '"warn"' });
      await assert.rejects(store.set(ACCOUNT, { 'log.level': undefined }, { forMs: 1000 }), refusal('malformed', /cannot be unset for a while/));
      await store.set(ACCOUNT, { 'log.level': 'debug' }, { forMs: 1 });
      await eventually('it has ended by itself', async () => Object.keys(await texts()).length === 1);
    });

    it('leaves no lease behind when a change is refused', async () => {
      const granted: string[] = [];
      const { leases } = it_.etcd;
      const watched = { ...it_.etcd, leases: { ...leases, grant: async (ttl: number) => leases.grant(ttl).then((lease) => (granted.push(lease.id), lease)) } };
      // Somebody else writes just before the transaction.
      let meddle = true;
      const meddled = { ...watched, transaction: async (given: Parameters<typeof watched.transaction>[0]) => {
        if (meddle) await it_.etcd.put(it_.key('config/service/service.account/log.level'), '"warn"');
        meddle = false;
        return it_.etcd.transaction(given);
      } };
      const { configStore } = await import('./index.ts');
      const store = configStore({ etcd: meddled, namespace: it_.namespace, keyring: it_.keyring, who: 'ada' });
      await assert.rejects(store.set(ACCOUNT, { 'log.level': 'debug' }, { forMs: 600_000 }), refusal('conflict', /without a record/));
      assert.equal(granted.length, 1);
      assert.equal(await leases.remaining(granted[0] ?? ''), undefined);
    });

    it('checks again when a service publishes other settings meanwhile', async () => {
      let times = 0;
      const meddled = { ...it_.etcd, transaction: async (given: Parameters<typeof it_.etcd.transaction>[0]) => {
        if (times++ === 0) await it_.publish('service.account', '1.0.0', ['webhook.name']);
        return it_.etcd.transaction(given);
      } };
      const { configStore } = await import('./index.ts');
      const store = configStore({ etcd: meddled, namespace: it_.namespace, keyring: it_.keyring, who: 'ada' });
      await assert.rejects(store.set(ACCOUNT, { 'log.level': 'debug' }), refusal('unknown_setting', /log\.level/));
      times = 0;
      assert.ok((await store.set(ACCOUNT, { 'webhook.name': 'x' })).change);
      assert.equal(times, 2);
    });

    it('rolls one change back, unless it was changed since', async () => {
      const store = it_.store('bob');
      const first = await set({ 'log.level': 'debug', 'mail.password': 'hunter22' });
      const second = await set({ 'log.level': 'warn' }, 'noise');
      await assert.rejects(store.rollback(first.id), refusal('conflict', new RegExp(`${first.id} cannot be rolled back, .*: ada set log\\.level to "warn" \\(service\\.account, ${second.id}\\).*because "noise"`)));
      const back = await store.rollback(second.id);
      assert.deepEqual([back.who, back.rollbackOf, back.why], ['bob', second.id, `takes back ${second.id}: noise`]);
      assert.deepEqual(back.settings, [{ name: 'log.level', before: 'warn', after: 'debug' }]);
      // The first one is still covered by others, the last of which can be taken back again.
      await store.rollback(back.id);
      assert.deepEqual((await store.get(ACCOUNT, 'log.level')).settings[0]?.permanent?.value, 'warn');
      await assert.rejects(store.rollback('chg_no'), refusal('unknown_change', /no change "chg_no"/));
      await it_.etcd.put(it_.key('config/service/service.account/log.level'), '"info"');
      await assert.rejects(store.rollback((await store.history())[0]?.id ?? ''), refusal('conflict', /without a record/));
    });

    it('rolls back what was set for a while, and what was unset', async () => {
      const store = it_.store();
      await set({ 'log.level': 'info', 'mail.password': 'hunter22' });
      const { change } = await store.set(ACCOUNT, { 'log.level': 'debug' }, { forMs: 600_000 });
      await store.rollback(change?.id ?? '');
      assert.deepEqual((await store.get(ACCOUNT, 'log.level')).settings[0]?.temporary, undefined);
      const gone = await set({ 'log.level': undefined, 'mail.password': undefined });
      await store.rollback(gone.id);
      assert.deepEqual(Object.keys(await texts()), ['service/service.account/log.level', 'service/service.account/mail.password']);
      assert.deepEqual((await store.validate()).problems, []);
    });

    it('refuses a rollback to what is no longer taken', async () => {
      await set({ 'webhook.name': 'x' });
      const second = await set({ 'webhook.name': 'y' });
      await it_.publish('service.account', '1.0.0', ['log.level']);
      await assert.rejects(it_.store().rollback(second.id), refusal('unknown_setting', /webhook\.name/));
    });

    it('takes as many settings as etcd takes in a transaction, and says so of more', async () => {
      const names = Array.from({ length: 200 }, (_, at) => `many.s${at}`);
      const settings = Object.fromEntries(names.map((name) => [name, { description: '', live: true, env: '', schema: {} }]));
      await it_.etcd.put(it_.key('schemas/service.account@1.0.0'), JSON.stringify({ service: 'service.account', version: '1.0.0', settings }));
      const values = (count: number, value: GivenValue) => Object.fromEntries(names.slice(0, count).map((name) => [name, value]));
      const message = await it_.store().set(ACCOUNT, values(200, 1)).then(() => '', (error: Error) => error.message);
      const most = Number(/of (\d+) settings at most/.exec(message)?.[1]);
      assert.ok(most > 50, message);
      assert.ok((await it_.store().set(ACCOUNT, values(most, 1))).change);
      await assert.rejects(it_.store().set(ACCOUNT, values(20, 'x'.repeat(60_000))), refusal('invalid_value', /KiB, and etcd takes 1024 at once/));
    });

    it('keeps the last 1,000 changes', async () => {
      const record = (at: number) => JSON.stringify({ id: `chg_${at}`, at: new Date(0).toISOString(), who: 'x', target: 'global', settings: [{ name: 'log.level', after: 'debug' }] });
      for (let from = 0; from < 1010; from += 101) {
        await it_.etcd.transaction({ compare: [], success: Array.from({ length: 101 }, (_, at) => ({ put: it_.key(`history/chg_${from + at}`), value: record(from + at) })) });
      }
      const change = await set({ 'log.level': 'debug' });
      const history = await it_.store().history();
      assert.equal(history.length, 1000);
      assert.equal(history[0]?.id, change.id);
      assert.equal((await it_.store().history({ last: 3, target: ACCOUNT })).length, 1);
    });

    it('says what two targets say differently, and a target now and then', async () => {
      await it_.publish('service.other', '1.0.0');
      const other = parseTarget('service.other');
      const first = await set({ 'log.level': 'debug', 'mail.password': 'hunter22', 'webhook.name': 'x' });
      await it_.store().set(other, { 'log.level': 'warn', 'mail.password': 'hunter22', 'telemetry.sampling': 1 });
      assert.deepEqual(await it_.store().diff({ target: ACCOUNT }, { target: other }), [{ name: 'log.level', a: 'debug', b: 'warn' }, { name: 'telemetry.sampling', b: 1 }, { name: 'webhook.name', a: 'x' }]);
      await set({ 'log.level': 'info', 'mail.password': 'hunter23' });
      await set({ 'webhook.name': undefined });
      await it_.store().set(ACCOUNT, { 'log.level': 'debug' }, { forMs: 600_000 });
      assert.deepEqual(await it_.store().diff({ target: ACCOUNT, after: first.id }, { target: ACCOUNT }), [
        { name: 'log.level', a: 'debug', b: 'info' },
        { name: 'mail.password', a: '[secret]', b: '[secret]', secret: true },
        { name: 'webhook.name', a: 'x' },
      ]);
      await assert.rejects(it_.store().diff({ target: other, after: first.id }, { target: other }), refusal('malformed', /one of service\.account, and not of service\.other/));
    });

    it('finds all that is wrong with what is stored, and shows no secret', async () => {
      await set({ 'log.level': 'debug' });
      const put = (rest: string, value: string): Promise<void> => it_.etcd.put(it_.key(`config/${rest}`), value);
      await put('service/service.account/telemetry.sampling', '7');
      await put('service/service.account/webhook.name', 'no json');
      await put('service/service.account/mail.password', '"hunter2222"');
      await put('service/service.account/no.such', '1');
      await put('service/service.gone/log.level', '"debug"');
      await put('instance/inst_gone/log.level', '"debug"');
      await put('service/service.account/webhook.delays', JSON.stringify(['x'.repeat(100_000)]));
      await put('what is this/at all', '');
      await put('global/Odd Name', '1');
      const { problems, checked } = await it_.store().validate();
      assert.equal(checked, 10);
      const said = problems.map(({ message }) => message).join('\n');
      for (const says of [/sampling takes a number from 0 to 1, not 7/, /webhook\.name .* is no JSON/, /not encrypted/, /no setting "no\.such"/, /No service "service\.gone"/, /inst_gone/, /100004 bytes/, /what is this\/at all/, /Odd Name/]) assert.match(said, says);
      assert.equal(problems.length, 9);
      assert.deepEqual(problems.filter(({ harmless }) => harmless).map(({ target }) => target), [{ kind: 'instance', instance: 'inst_gone' }]);
      assert.doesNotMatch(said, /hunter/);
      assert.ok((await it_.store().set(parseTarget('inst_gone'), { 'log.level': undefined })).change);
    });

    it('reads documents nested or dotted, and finds all that is wrong with them', async () => {
      const document = { log: { level: 'debug' }, 'webhook.name': 'x', telemetry: { 'sampling': 0.5 } };
      assert.deepEqual((await it_.store().validateDocument(ACCOUNT, document)).problems, []);
      assert.deepEqual(await it_.store().settingsOf(ACCOUNT, document), { 'log.level': 'debug', 'webhook.name': 'x', 'telemetry.sampling': 0.5 });
      const { problems } = await it_.store().validateDocument(ACCOUNT, { log: { level: 'loud', size: 1 }, nothing: {}, 'mail.password': 'hunter' });
      assert.deepEqual(problems.map(({ name }) => name), ['log.level', 'log.size', 'nothing', 'mail.password']);
      await assert.rejects(it_.store().settingsOf(ACCOUNT, { log: { level: 'debug' }, 'log.level': 'info' }), refusal('malformed', /twice/));
      await assert.rejects(it_.store().settingsOf(ACCOUNT, []), refusal('malformed', /no settings/));
    });

    it('explains every layer, who wrote it, and what each instance made of it', async () => {
      await it_.show('service.account', '1.0.0', 'inst_a', { settings: {} });
      await it_.store('bob').set(GLOBAL, { 'log.level': 'warn' }, { why: 'quiet' });
      const own = await set({ 'log.level': 'info' });
      await it_.store('cyd').set(ACCOUNT, { 'log.level': 'debug' }, { forMs: 600_000, why: 'a look' });
      await it_.publish('service.account', '0.9.0');
      await it_.store().set(parseTarget('service.account@0.9.0'), { 'log.level': 'warn' });
      const { revision } = await it_.store().get(ACCOUNT);
      const layers = { default: 'info', environment: 'info' };
      await it_.show('service.account', '1.0.0', 'inst_a', { revision, settings: { 'log.level': { value: 'debug', source: 'service', temporary: true, layers } } });
      await it_.show('service.account', '1.0.0', 'inst_b', { revision: own.revision, settings: { 'log.level': { value: 'info', source: 'service', layers } } });
      await it_.show('service.account', '1.0.0', 'inst_c', { revision, settings: { 'log.level': { value: 'info', source: 'service', layers, problem: 'is odd' } } });
      const { settings } = await it_.store().explain(ACCOUNT, 'log.level');
      const [found] = settings;
      assert.deepEqual(found?.layers.map(({ target, permanent, temporary, change, temporaryChange }) => [target.kind, permanent?.value, change?.who, temporary?.value, temporaryChange?.who]), [
        ['global', 'warn', 'bob', undefined, undefined],
        ['service', 'info', 'ada', 'debug', 'cyd'],
      ]);
      assert.deepEqual(found?.instances.map(({ instance, value, state }) => [instance, value, state]), [['inst_a', 'debug', 'applied'], ['inst_b', 'info', 'behind'], ['inst_c', 'info', 'refused']]);
      assert.deepEqual(found?.instances[0]?.layers, layers);
      assert.deepEqual(found?.elsewhere.map(({ target, permanent }) => [target, permanent?.value]), [[{ kind: 'version', service: 'service.account', version: '0.9.0' }, 'warn']]);
      assert.equal(found?.takes, 'one of "debug", "info" or "warn"');
      assert.equal((await it_.store().explain(ACCOUNT)).settings.length, 6);
      await assert.rejects(it_.store().explain(ACCOUNT, 'log.leve'), refusal('unknown_setting', /Did you mean/));
    });

    it('tells who has applied a change, and who has not', async () => {
      await it_.show('service.account', '1.0.0', 'inst_a');
      await it_.show('service.account', '1.0.0', 'inst_b');
      await it_.show('service.account', '1.0.0', 'inst_old', { settings: {} });
      const applying = it_.store().applying(ACCOUNT);
      await applying.ready;
      const change = await set({ 'log.level': 'debug' });
      const both = applying.applied(change.revision, ['log.level'], 60_000);
      await it_.show('service.account', '1.0.0', 'inst_a', { revision: change.revision });
      await it_.show('service.account', '1.0.0', 'inst_b', { revision: change.revision });
      const done = await both;
      assert.deepEqual(done.map(({ instance, afterMs }) => [instance, typeof afterMs]), [['inst_a', 'number'], ['inst_b', 'number']]);
      const late = await applying.applied(change.revision + 1n, ['log.level'], 1);
      assert.deepEqual(late.map(({ afterMs }) => afterMs), [undefined, undefined]);
      applying.close();
    });

    it('watches changes, what ends by itself, and what goes past the history', async () => {
      const seen: string[] = [];
      const { silentLogger: log } = await import('@talaria/base');
      const watch = it_.store().watch({
        log,
        target: ACCOUNT,
        onObservation: (what) => seen.push(what.kind === 'change' ? `${what.change.who} ${what.change.settings.map((each) => `${each.name} ${JSON.stringify(each.after)}`).join()}` : what.kind === 'data_lost' ? what.kind : `${what.kind} ${what.name}`),
      });
      await watch.ready;
      await set({ 'log.level': 'debug', 'mail.password': 'hunter22' });
      await set({ 'log.level': 'warn' }, '', GLOBAL);
      await it_.etcd.put(it_.key('config/service/service.account/webhook.name'), '"x"');
      await it_.store('bob').set(ACCOUNT, { 'log.level': 'info' }, { forMs: 1 });
      await eventually('all of it was told', () => seen.length === 4);
      assert.deepEqual(seen, ['ada log.level "debug",mail.password "[secret]"', 'unrecorded webhook.name', 'bob log.level "info"', 'ended log.level']);
      watch.close();
    });
  });
}
