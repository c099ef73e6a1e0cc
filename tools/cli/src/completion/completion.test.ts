import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { MAIN, runCli, served, type Served } from '../testing/served.ts';
import { BASH } from './bash.ts';
import { FISH } from './fish.ts';
import { ZSH } from './zsh.ts';

const CONTRACTS = ['account.v1.AccountService/', 'auth.v1.AuthService/', 'streams.v1.StreamService/', 'transaction.v1.TransactionService/', 'webhook.v1.WebhookService/'];
const STREAMS = ['ListAll', 'Watch', 'Count', 'Chat'].map((name) => `streams.v1.StreamService/${name}`);
/** A machine under load is slower than a person's patience. */
const PATIENT = { TALARIA_COMPLETION_TIMEOUT: '60s' };

describe('completion', { concurrency: 2 }, () => {
  let it_: Served;
  let folder: string;
  before(async () => {
    it_ = await served();
    // A project that has talaria among its packages, and a folder deep inside of it.
    folder = mkdtempSync(join(tmpdir(), 'talaria completion '));
    mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
    mkdirSync(join(folder, 'apps/one'), { recursive: true });
    symlinkSync(MAIN, join(folder, 'node_modules/.bin/talaria'));
    symlinkSync(process.execPath, join(folder, 'node_modules/.bin/node'));
    chmodSync(MAIN, 0o755);
    for (const [name, text] of [['bash', BASH], ['zsh', ZSH], ['fish', FISH]] as const) writeFileSync(join(folder, `completion.${name}`), text);
  });
  after(async () => {
    await it_.stop();
    rmSync(folder, { recursive: true });
  });

  const words = async (given: readonly string[], env: Readonly<Record<string, string>> = { TALARIA_STATE_DIR: it_.stateDir, ...PATIENT }): Promise<string[]> => {
    const { code, out, err } = await runCli(['complete', '--', ...given], env);
    assert.deepEqual([code, err], [0, '']);
    return out.split('\n').filter(Boolean).map((line) => line.split('\t', 1)[0] ?? '');
  };

  it('offers commands, options, contracts, methods and clients', async () => {
    assert.ok((await words([''])).includes('describe'));
    assert.deepEqual(await words(['cal']), ['call']);
    assert.deepEqual(await words(['call', '']), CONTRACTS);
    assert.deepEqual(await words(['call', 'a']), CONTRACTS.slice(0, 2));
    assert.deepEqual(await words(['call', 'str']), STREAMS);
    assert.deepEqual(await words(['describe', '--no-such', 'streams.v1.StreamService/C']), STREAMS.slice(2));
    assert.deepEqual(await words(['call', '--as', 'dev', 'str']), STREAMS);
    assert.deepEqual([await words(['canary', 'service.t']), await words(['canary', 'service.test', '']), await words(['canary', 'service.test', '1.2.3', ''])], [['service.test'], ['1.2.3'], []]);
    assert.deepEqual(await words(['call', STREAMS[0] ?? '', '']), []);
    assert.deepEqual(await words(['call', '--t']), ['--timeout']);
    assert.deepEqual(await words(['call', '--timeout', '']), []);
    assert.deepEqual(await words(['call', '--as', '']), ['dev', 'dev2']);
    assert.deepEqual(await words(['token', '--as=dev2']), ['--as=dev2']);
    assert.deepEqual(await words(['completion', 'z']), ['zsh']);
    assert.deepEqual(await words(['nothing', '']), []);
  });

  it('offers targets, settings, their values and changes', async () => {
    const { out } = await runCli(['config', 'set', 'service.test', 'log.level', 'debug', '--json'], { TALARIA_STATE_DIR: it_.stateDir });
    const { change } = JSON.parse(out) as { change: { id: string } };
    assert.deepEqual(await words(['config', 'ex']), ['explain']);
    assert.deepEqual((await words(['config', 'get', ''])).slice(0, 5), ['global', 'service.auth', 'service.test', 'service.auth@1.2.3', 'service.test@1.2.3']);
    assert.deepEqual(await words(['config', 'explain', 'service.test@']), ['service.test@1.2.3']);
    assert.deepEqual(await words(['config', 'explain', 'service.test', 'test.']), ['test.delays', 'test.password', 'test.workers']);
    assert.deepEqual(await words(['config', 'explain', 'service.test', 'test.delays', '']), []);
    assert.deepEqual(await words(['config', 'set', 'service.test', '--why', 'x', 'log.level', 'd']), ['debug']);
    assert.deepEqual(await words(['config', 'set', 'service.test', 'log.level', 'debug', 'test.w']), ['test.workers']);
    assert.deepEqual(await words(['config', 'unset', 'service.test', '']), ['log.level']);
    assert.deepEqual(await words(['config', 'rollback', '']), [change.id]);
    assert.deepEqual(await words(['config', 'diff', 'service.test', '--since', 'chg_']), [change.id]);
    assert.deepEqual(await words(['config', 'set', '--']), ['--why', '--for', '--file', '--if-revision', '--json', '--help']);
    assert.deepEqual(await words(['config', 'nothing', '']), []);
  });

  it('is silent where no platform runs', async () => {
    for (const env of [{ TALARIA_STATE_DIR: folder }, { TALARIA_STATE_DIR: folder, ETCD_ENDPOINTS: 'http://127.0.0.1:1' }]) {
      assert.deepEqual(await words(['call', ''], env), []);
      assert.deepEqual(await words(['config', 'get', ''], env), []);
      assert.deepEqual(await words(['call', '--as', ''], env), []);
    }
  });

  /** What a shell offers; undefined where that shell is missing, which in CI is a failure. */
  const inShell = async (t: TestContext, shell: string, args: readonly string[]): Promise<string[] | undefined> => {
    const { ETCD_ENDPOINTS: _a, ...inherited } = process.env;
    try {
      const { stdout } = await promisify(execFile)(shell, args, { cwd: join(folder, 'apps/one'), env: { ...inherited, TALARIA_STATE_DIR: it_.stateDir, HOME: folder, ...PATIENT }, timeout: 120_000 });
      return stdout.split('\n').filter(Boolean);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || process.env['CI'] === 'true') throw error;
      t.skip(`this machine has no ${shell}`);
      return undefined;
    }
  };

  it('works in bash', async (t) => {
    // As bash itself does: words split at its own places, then the function.
    const ask = (line: readonly string[]) => {
      const script = `source ../../completion.bash; COMP_WORDS=(${line.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _talaria; printf '%s\\n' "\${COMPREPLY[@]}"; complete -p talaria npx >&2`;
      return inShell(t, 'bash', ['--norc', '-c', script]);
    };
    const contracts = await ask(['talaria', 'call', '']);
    if (!contracts) return;
    assert.deepEqual(contracts, CONTRACTS);
    assert.deepEqual(await ask(['npx', 'talaria', 'call', 'str']), STREAMS);
    assert.deepEqual(await ask(['talaria', 'call', '-H', 'a', ':', 'b', '--as', '=', 'd']), ['dev', 'dev2']);
    assert.deepEqual(await ask(['npx', 'nx', '']), []);
    // What stands before @ is not replaced.
    assert.deepEqual(await ask(['talaria', 'config', 'get', 'service.test', '@', '1']), ['@1.2.3']);
    assert.deepEqual(await ask(['talaria', 'config', 'set', 'service.test', 'test.w']), ['test.workers']);
  });

  it('works in zsh', async (t) => {
    // In place of the line editor: its words, and what would show the candidates.
    const ask = (line: readonly string[]) => {
      const script = `compdef() { : }; _default() { : }; _describe() { print -rl -- \${(P)4} }; source ../../completion.zsh; words=(${line.map((word) => `'${word}'`).join(' ')}); CURRENT=$#words; _talaria`;
      return inShell(t, 'zsh', ['-f', '-c', script]);
    };
    const contracts = await ask(['talaria', 'call', '']);
    if (!contracts) return;
    assert.deepEqual(contracts.slice(0, 2), ['account.v1.AccountService/:service.test', 'auth.v1.AuthService/:service.auth']);
    assert.deepEqual((await ask(['npx', 'talaria', 'call', 'str']))?.map((line) => line.split(':', 1)[0]), STREAMS);
    assert.deepEqual(await ask(['npx', 'nx', '']), []);
    assert.deepEqual(await ask(['talaria', 'config', 'get', 'service.test@']), ['service.test@1.2.3:one version']);
  });

  it('works in fish', async (t) => {
    const ask = async (line: string) => (await inShell(t, 'fish', ['--no-config', '-c', `source ../../completion.fish; complete -C '${line}'`]))?.map((each) => each.split('\t', 1)[0]);
    const contracts = await ask('talaria call ');
    if (!contracts) return;
    assert.deepEqual(contracts, CONTRACTS);
    assert.deepEqual((await ask('npx talaria call str'))?.sort(), [...STREAMS].sort());
    assert.deepEqual(await ask('talaria token --as '), ['dev', 'dev2']);
    assert.deepEqual(await ask('talaria config set service.test test.w'), ['test.workers']);
  });
});
