import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { silentLogger } from '@talaria/base';
import { connectEtcd } from '@talaria/etcd';
import { eventually } from '@talaria/testing';
import { MAIN, runCli, served, type Served } from '../../testing/served.ts';

interface Change {
  readonly change: { readonly id: string; readonly who: string; readonly revision: number };
  readonly instances: readonly { readonly instance: string; readonly afterMs?: number }[];
}

describe('talaria config', () => {
  let it_: Served;
  let folder: string;
  before(async () => {
    it_ = await served();
    folder = mkdtempSync(join(tmpdir(), 'talaria-cli-'));
  });
  after(async () => {
    await it_.stop();
    rmSync(folder, { recursive: true });
  });

  const config = (args: readonly string[], input = '', env: Readonly<Record<string, string>> = {}) => runCli(['config', ...args], { TALARIA_STATE_DIR: it_.stateDir, ...env }, input);
  const json = async <T>(...args: string[]): Promise<T> => {
    const { out, err, code } = await config([...args, '--json']);
    assert.equal(code, 0, err);
    return JSON.parse(out) as T;
  };
  /** The environment of somebody who is not under `serve`. */
  const elsewhere = (): Record<string, string> => ({ TALARIA_STATE_DIR: folder, ETCD_ENDPOINTS: it_.etcd });

  it('changes what a running service goes by, and says who has applied it', async () => {
    const { code, out, err } = await config(['set', 'service.test', 'test.delays', '["5s","1m"]', '--why', 'slow\u001b[2J partner']);
    assert.equal(code, 0, err);
    assert.match(out, /^chg_\w+ {2}\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}\S+ {2}service\.test\n {2}test\.delays {2}\(unset\) → \["5s","1m"\]\n {2}because: slow\\u001b\[2J partner\n$/);
    assert.match(err, /^Applied by 1 of 1 instance within \d+ ms, at revision \d+\.\n$/);
    assert.deepEqual(it_.setting('test.delays'), [5000, 60_000]);
    assert.equal((await config(['get', 'service.test', 'test.delays'])).out, '["5s","1m"]\n');
    assert.match((await config(['set', 'service.test', 'test.delays', '["5s", "1m"]'])).err, /^service\.test says that already/);
    assert.equal((await config(['unset', 'service.test', 'test.delays'])).code, 0);
    assert.deepEqual(it_.setting('test.delays'), [1000]);
    const [last] = await json<{ who: string }[]>('history', 'service.test');
    assert.equal(last?.who, userInfo().username);
  });

  it('fails where instances refuse what their schema lets through, and says how to take it back', async () => {
    const refused = await config(['set', 'service.test', 'test.delays', '[2,1]']);
    assert.equal(refused.code, 1);
    const id = /^chg_\w+/.exec(refused.out)?.[0] ?? '';
    assert.match(refused.err, /^Applied by 0 of 1 instance, .*\ninst_\w+ \(service\.test@1\.2\.3\) keeps its last good value: .*each has to be longer than the one before/);
    assert.ok(refused.err.endsWith(`\ntalaria: 1 instance refuses this change, which stays written: take it back with "talaria config rollback ${id}", or write it right.\n`), refused.err);
    assert.deepEqual(it_.setting('test.delays'), [1000]);
    assert.equal((await config(['rollback', id])).code, 0);
    const asJson = await config(['set', 'service.test', 'test.delays', '[2,1]', '--json']);
    assert.equal(asJson.code, 1);
    const { change } = JSON.parse(asJson.out) as Change;
    assert.equal((await config(['rollback', change.id])).code, 0);
  });

  it('takes several settings at once, and documents, nested or dotted', async () => {
    const file = join(folder, 'settings.yaml');
    writeFileSync(file, 'test:\n  delays: [2s]\nlog.level: warn\n');
    assert.match((await config(['validate', 'service.test', '--file', file])).out, /^All is well: 2 values checked\.\n$/);
    assert.equal((await config(['set', 'service.test', '--file', file])).code, 0);
    assert.deepEqual(it_.setting('test.delays'), [2000]);
    assert.equal((await config(['set', 'service.test', '--file', '-'], '{"test.delays":["3s"]}')).code, 0);
    assert.deepEqual(it_.setting('test.delays'), [3000]);
    const { err } = await config(['set', 'service.test', 'test.workers', '7', 'log.level', 'info']);
    assert.match(err, /test\.workers takes effect at the next start of each instance\.\n$/);
    assert.equal(it_.setting('test.workers'), 1);
    assert.match((await config(['explain', 'service.test'])).out, /test\.workers +1 +default +7 at its next start\n/);
    assert.equal((await config(['unset', 'service.test', 'test.delays', 'test.workers', 'log.level'])).code, 0);
  });

  it('reads secrets from standard input, and prints them nowhere', async () => {
    const set = await config(['set', 'service.test', 'test.password', '-'], 'hunter2222\n');
    assert.equal(set.code, 0, set.err);
    assert.equal(it_.setting('test.password'), 'hunter2222');
    const said = [set, await config(['set', 'service.test', 'test.password', 'hunter3333']), await config(['get', 'service.test']), await config(['explain', 'service.test', 'test.password']), await config(['history', '--json']), await config(['validate']), await config(['set', 'service.test', 'test.password', 'hunter'])];
    assert.match(said[1]?.err ?? '', /Mind that shells remember commands, .* "talaria config set service\.test test\.password - < file"/);
    assert.equal(said.at(-1)?.code, 2);
    for (const { out, err } of said) assert.doesNotMatch(out + err, /hunter|\$secret/);
    assert.equal((await config(['get', 'service.test', 'test.password'])).out, '[secret]\n');
    const noKey = await config(['set', 'service.test', 'test.password', '-', '--why', 'x'], 'hunter4444', elsewhere());
    assert.match(noKey.err, /test\.password is a secret, and there is no key to encrypt it with: set TALARIA_CONFIG_KEYS/);
    const rekeyed = await config(['rekey']);
    assert.match(rekeyed.out, /^0 secrets and 0 records of the history encrypted anew; the key is "k1"\.\n$/);
    await config(['unset', 'service.test', 'test.password']);
  });

  it('sets for a while, and explains it', async () => {
    await config(['set', 'global', 'log.level', 'warn', '--why', 'quiet']);
    await config(['set', 'service.test', 'log.level', 'debug', '--for', '10m']);
    const { out } = await config(['explain', 'service.test', 'log.level']);
    assert.match(out, /^log\.level of service\.test: the least severe events that are written\ntakes one of /);
    assert.match(out, /\ndefault +info +\n/);
    assert.match(out, /\nglobal +warn +\S+ by \S+: quiet {2}\(chg_\w+\)\n/);
    assert.match(out, /\nservice\.test, for another (?:10m|9m\d+s|[5-9]m\S*) +debug +yes +\S+ by \S+ {2}\(chg_\w+\)\n/);
    assert.match(out, /\ninst_\w+ +service\.test@1\.2\.3 +debug +service\.test, temporary +applied\n$/);
    assert.match((await config(['explain', 'global', 'log.level'])).out, /\ninst_\w+ +service\.auth@1\.2\.3 +warn +global +applied\n/);
    assert.match((await config(['get', 'service.test'])).out, /log\.level +debug +\d+ +temporary, for another /);
    const [first] = await json<{ id: string }[]>('history', 'service.test', 'log.level', '--last', '1');
    assert.match((await config(['history', 'service.test'])).out, /\n {2}log\.level {2}\(unset\) → debug {2}for 10m\n/);
    assert.equal((await config(['rollback', first?.id ?? ''])).code, 0);
    assert.match((await config(['get', 'service.test', 'log.level'])).err, /says nothing of log\.level: "talaria config explain service\.test log\.level"/);
    await config(['set', 'service.test', 'log.level', 'debug', '--for', '1s']);
    await eventually(async () => (await config(['get', 'service.test', 'log.level'])).code === 1, { limitMs: 20_000 });
    await config(['unset', 'global', 'log.level']);
  });

  it('compares, and rolls back unless somebody changed it since', async () => {
    const { change } = await json<Change>('set', 'service.test', 'test.delays', '[1,2]');
    await config(['set', 'service.test@1.2.3', 'test.delays', '[3]']);
    assert.match((await config(['diff', 'service.test', 'service.test@1.2.3'])).out, /^NAME +service\.test +service\.test@1\.2\.3\ntest\.delays +\[1,2\] +\[3\]\n$/);
    assert.match((await config(['explain', 'service.test', 'test.delays'])).out, /service\.test@1\.2\.3 +\[3\] +yes/);
    const second = await config(['set', 'service.test', 'test.delays', '[4]', '--why', 'more']);
    assert.match(second.err, /goes by what is set for its version in test\.delays\.\n$/);
    assert.match((await config(['diff', 'service.test', '--since', change.id])).out, /test\.delays +\[1,2\] +\[4\]\n/);
    const refused = await config(['rollback', change.id]);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /cannot be rolled back, .*: \S+ set test\.delays to \[4\] \(service\.test, chg_\w+\) at \S+, because "more"\. "talaria config explain"/);
    await config(['unset', 'service.test', 'test.delays']);
    await config(['unset', 'service.test@1.2.3', 'test.delays']);
    assert.equal((await config(['diff', 'service.test', 'service.test@1.2.3'])).out, 'Nothing differs.\n');
  });

  it('lets one of several processes win where all saw the same', async () => {
    const { revision } = await json<{ revision: number }>('get', 'service.test');
    const { ETCD_ENDPOINTS: _a, npm_command: _b, ...inherited } = process.env;
    const results = await Promise.all(
      [11, 12, 13].map(async (value) => {
        const cli = spawn(process.execPath, [MAIN, 'config', 'set', 'service.test', 'test.delays', `[${value}]`, '--if-revision', String(revision), '--why', `wants ${value}`], { env: { ...inherited, TALARIA_STATE_DIR: it_.stateDir }, stdio: ['ignore', 'ignore', 'pipe'], timeout: 120_000 });
        let err = '';
        cli.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
        const [code] = (await once(cli, 'close')) as [number];
        return { code, err };
      }),
    );
    assert.deepEqual(results.map(({ code }) => code).sort(), [0, 1, 1]);
    for (const { code, err } of results) if (code === 1) assert.match(err, /^talaria: Nothing was changed, .*: \S+ set test\.delays to \[1[123]\] \(service\.test, chg_\w+\) at \S+Z, because "wants 1[123]"\./);
    await config(['unset', 'service.test', 'test.delays']);
  });

  it('watches as a program, until Ctrl-C', async () => {
    const { ETCD_ENDPOINTS: _a, npm_command: _b, ...inherited } = process.env;
    const cli = spawn(process.execPath, [MAIN, 'config', 'watch', 'service.test', '--json'], { env: { ...inherited, TALARIA_STATE_DIR: it_.stateDir }, stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 });
    const lines = createInterface(cli.stdout)[Symbol.asyncIterator]();
    await Promise.race([once(createInterface(cli.stderr), 'line'), once(cli, 'close').then(() => assert.fail('it ended'))]);
    await config(['set', 'global', 'log.level', 'warn']);
    await config(['set', 'service.test', 'test.password', '-'], 'hunter2222');
    await config(['set', 'service.test', 'log.level', 'debug', '--for', '1s']);
    const next = async (): Promise<unknown> => JSON.parse((await lines.next()).value ?? 'null');
    assert.match(JSON.stringify(await next()), /^\{"kind":"change","change":\{"id":"chg_\w+",.*"target":"service\.test".*"after":"\[secret\]"/);
    assert.match(JSON.stringify(await next()), /"temporary":true,"forMs":1000/);
    assert.deepEqual(await next(), { kind: 'ended', target: 'service.test', name: 'log.level', value: 'debug' });
    cli.kill('SIGINT');
    assert.deepEqual(await once(cli, 'exit'), [0, null]);
    await config(['unset', 'global', 'log.level']);
    await config(['unset', 'service.test', 'test.password']);
  });

  it('finds what is wrong with what others stored', async () => {
    const etcd = connectEtcd({ endpoints: it_.etcd, log: silentLogger });
    const stored = { 'config/service/service.test/test.delays': '"no list"', 'config/instance/inst_gone/log.level': '"debug"', 'config/odd': '' };
    for (const [key, value] of Object.entries(stored)) await etcd.put(`talaria/default/${key}`, value);
    const { out, err, code } = await config(['validate']);
    assert.equal(code, 1);
    assert.equal(err, 'talaria: 2 of 3 values are wrong.\n');
    assert.match(out, /wrong {2}service\.test test\.delays: test\.delays takes a list of times, such as 500ms, 10s or 1h30m \(at least 1\), not "no list" \(when it tries again, in ms\)\.\n/);
    assert.match(out, /left over {2}inst_gone log\.level: No instance inst_gone runs/);
    await eventually(async () => / default +refused\n\nrefused: \S+test\.delays: test\.delays is "no list"/.test((await config(['explain', 'service.test', 'test.delays'])).out), { limitMs: 20_000 });
    assert.match((await config(['explain', 'service.test', 'log.level'])).out, /STORED WHERE NOTHING RUNS +VALUE +WRITTEN\ninst_gone +debug +past the history\n$/);
    for (const key of Object.keys(stored)) await etcd.delete(`talaria/default/${key}`);
    etcd.close();
  });

  it('asks for a reason where nobody knows who it is', async () => {
    const without = await config(['set', 'service.test', 'log.level', 'debug'], '', elsewhere());
    assert.equal(without.code, 2);
    assert.match(without.err, /^talaria: Say why, with --why '…'/);
    const set = await config(['set', 'service.test', 'log.level', 'debug', '--why', 'a look'], '', elsewhere());
    assert.equal(set.code, 0);
    assert.match(set.err, /^etcd does not know who you are, so "\S+" is taken from this system: "talaria etcd secure" sets up users\.\n/);
    assert.equal((await config(['unset', 'service.test', 'log.level', '--why', 'enough'], '', elsewhere())).code, 0);
    assert.equal((await config(['get', 'global'], '', elsewhere())).code, 0);
  });

  it('says what is wrong, and what to do', async () => {
    const cases: readonly (readonly [args: readonly string[], code: number, says: RegExp])[] = [
      [['get', 'a/b'], 2, /"a\/b" is no target: write global, a service/],
      [['get', 'service.tset'], 1, /No service "service\.tset" has published its settings\. Did you mean "service\.test"\? Published: service\.auth, service\.test\./],
      [['set', 'service.test', 'log.level', 'loud'], 2, /log\.level takes one of "trace", .* or "fatal", not "loud" \(the least severe events that are written\)\.\n$/],
      [['set', 'service.test', 'lg.level', 'debug'], 1, /has no setting "lg\.level"\. Did you mean "log\.level"\?/],
      [['set', 'service.test', 'test.workers', '-1'], 2, /a whole number of at least 1, not -1/],
      [['set', 'service.test', 'test.delays', '["1s"'], 2, /It is no JSON either: mind the quotes of the shell\.\n$/],
      [['set', 'service.test', 'log.level'], 2, /"log\.level" has no value: names and values follow each other/],
      [['set', 'service.test'], 2, /nothing to set/],
      [['set', 'service.test', 'a', '1', 'a', '2'], 2, /a stands twice/],
      [['set', 'service.test', 'a', '-', 'b', '-'], 2, /Standard input is one value/],
      [['set', 'service.test', 'a', '1', '--file', 'x'], 2, /but not both/],
      [['set', 'service.test', '--file', join(folder, 'none')], 2, /cannot be read \(ENOENT\)/],
      [['set', 'service.test', 'log.level', 'debug', '--for', 'ever'], 2, /--for ever is no time: write one such as 30s, 10m/],
      [['set', 'service.test', 'log.level', 'debug', '--if-revision', 'x'], 2, /no revision: take the number/],
      [['set', 'service.test', 'log.level', 'debug', '--if-revision', '999999'], 1, /no revision 999999 yet/],
      [['unset', 'service.test', 'no.such'], 1, /has no setting "no\.such"/],
      [['rollback', 'chg_1'], 1, /no change "chg_1" in the history, .*"talaria config history" lists them/],
      [['diff', 'service.test'], 2, /Compare with another target/],
      [['history', '--last', 'x'], 2, /no number of changes/],
      [['validate', '--file', 'x'], 2, /for which target/],
      [['st'], 2, /unknown command 'st'[^]*Did you mean/],
    ];
    for (const [args, code, says] of cases) {
      const result = await config(args);
      assert.match(result.err, says, args.join(' '));
      assert.equal(result.code, code, `${args.join(' ')}: ${result.err}`);
      assert.equal(result.out, '');
    }
    assert.equal((await config(['unset', 'service.test', 'log.level'])).err, 'service.test says that already: nothing was changed.\n');
  });

  it('says that etcd is away, or frozen, in time', async () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => void sockets.add(socket.on('error', () => {})));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const frozen = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    for (const args of [['get', 'global'], ['explain', 'global'], ['history'], ['validate'], ['watch']]) {
      const away = await config(args, '', { ETCD_ENDPOINTS: 'http://127.0.0.1:1' });
      assert.deepEqual([away.code, away.out], [1, '']);
      assert.match(away.err, /^talaria: etcd at http:\/\/127\.0\.0\.1:1 cannot be asked .* is ETCD_ENDPOINTS right\?\n$/, args.join(' '));
    }
    for (const args of [['set', 'global', 'log.level', 'debug', '--why', 'x'], ['rekey', '--why', 'x']]) {
      for (const ETCD_ENDPOINTS of ['http://127.0.0.1:1', frozen]) {
        const result = await config(args, '', { ETCD_ENDPOINTS, TALARIA_CONFIG_KEYS: `k1:${Buffer.alloc(32).toString('base64')}` });
        assert.deepEqual([result.code, result.out], [1, ''], args.join(' '));
        assert.match(result.err, /talaria: etcd at \S+ cannot be asked .* is ETCD_ENDPOINTS right\?\n$/);
      }
    }
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  it('has examples in the help of each of its commands', async () => {
    const { out } = await config(['--help']);
    const names = [...out.matchAll(/^ {2}(\w+) .*[A-Z].*$/gm)].map(([, name = '']) => name).filter((name) => name !== 'help');
    assert.deepEqual(names, ['get', 'set', 'unset', 'explain', 'history', 'rollback', 'diff', 'watch', 'validate', 'rekey']);
    for (const name of names) assert.match((await config([name, '--help'])).out, /\nExamples?:[^]*talaria config /, name);
  });
});
