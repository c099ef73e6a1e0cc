import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { MAIN, runCli, served, type Served } from '../testing/served.ts';
import { startForeign, type Foreign } from '../testing/foreign.ts';

const RECORD = 'transaction.v1.TransactionService/RecordTransaction';
const GET = 'account.v1.AccountService/GetAccount';
const transaction = (dedupe: string): string => `{"account_id":"acc_1","amount":-520,"currency":"GBP","description":"Coffee","dedupe_id":"${dedupe}"}`;

interface Result {
  readonly method: string;
  readonly intended: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly dropped: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly interrupted: boolean;
  readonly latency_ms: { readonly all: { readonly count: number; readonly p50: number; readonly p99_9: number; readonly max: number } };
  readonly seconds: readonly { readonly intended: number }[];
}

describe('talaria load', { concurrency: 3 }, () => {
  let it_: Served;
  let foreign: Foreign;
  let folder: string;
  before(async () => {
    [it_, foreign] = await Promise.all([served(), startForeign()]);
    folder = mkdtempSync(join(tmpdir(), 'talaria-load-'));
  });
  after(async () => {
    await Promise.all([it_.stop(), foreign.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  const load = (args: readonly string[], input = '') => runCli(['load', ...args], { TALARIA_STATE_DIR: it_.stateDir }, input);
  const loadJson = async (args: readonly string[], input = ''): Promise<Result & { readonly code: number; readonly err: string }> => {
    const { code, out, err } = await load([...args, '--json'], input);
    assert.notEqual(out, '', err);
    return { ...(JSON.parse(out) as Result), code, err };
  };

  it('makes as many calls as it says, each another one, after one that shows whether it works', async () => {
    const svg = join(folder, 'record.svg');
    const result = await loadJson([RECORD, '--rate', '100', '--duration', '1500ms', '--data', transaction('load-{{n}}-{{uuid}}'), '--svg', svg]);
    assert.deepEqual([result.code, result.method, result.intended, result.succeeded, result.failed], [0, RECORD, 150, 150, 0], result.err);
    const seen = it_.recorded.filter((each) => each.startsWith('load-'));
    assert.deepEqual(new Set(seen.map((each) => Number(each.split('-')[1]))), new Set(Array.from({ length: 151 }, (_, n) => n)));
    assert.equal(new Set(seen).size, 151);
    assert.equal(result.latency_ms.all.count, 150);
    assert.ok(result.latency_ms.all.p50 > 0 && result.latency_ms.all.p50 <= result.latency_ms.all.p99_9);
    assert.deepEqual(result.seconds.map(({ intended }) => intended), [100, 50]);
    const plot = readFileSync(svg, 'utf8');
    assert.match(plot, /^<svg .*<\/svg>\n$/s);
    assert.doesNotMatch(plot, /NaN|undefined|Infinity/);
    // A line each second, where nobody sits at a terminal.
    assert.match(result.err, /answered in .*\n1 s of 1\.5 s .*p99/s);
  });

  it('tells what was made and how long it took', async () => {
    const { code, out } = await load([GET, '--rate', '50', '--duration', '0.4', '--data', '{"id":"acc_1"}', '--arrivals', 'poisson', '--warmup', '100ms']);
    assert.equal(code, 0);
    assert.match(out, /account\.v1\.AccountService\/GetAccount/);
    assert.match(out, /50\/s wanted.*Poisson arrivals/);
    assert.match(out, /failed +0/);
    assert.match(out, /latency +calls +p50 +p90 +p99 +p99\.9 +max/);
  });

  it('reads the request from a file and from standard input', async () => {
    const file = join(folder, 'request.json');
    writeFileSync(file, transaction('from-file'));
    await loadJson([RECORD, '--rate', '10', '--duration', '200ms', '--data', `@${file}`]);
    await loadJson([RECORD, '--rate', '10', '--duration', '200ms', '--data', '-', '--no-probe'], transaction('from-stdin'));
    assert.deepEqual(it_.recorded.filter((each) => each.startsWith('from-')), ['from-file', 'from-file', 'from-file', 'from-stdin', 'from-stdin']);
  });

  it('reads streams to their end', async () => {
    const result = await loadJson(['streams.v1.StreamService/ListAll', '--rate', '20', '--duration', '500ms', '--data', '{"id":"a"}', '--no-as']);
    assert.deepEqual([result.code, result.succeeded], [0, 10]);
  });

  it('says at once what would fail every call', async () => {
    const missing = await load([GET, '--rate', '50', '--duration', '1s', '--data', '{"id":"nope"}']);
    assert.deepEqual([missing.code, missing.out], [1, '']);
    assert.match(missing.err, /not_found\.account.*There is no such account/s);
  });

  it('counts what fails, by code, and fails for it unless that is allowed', async () => {
    const args = [GET, '--rate', '40', '--duration', '500ms', '--data', '{"id":"nope"}'];
    const strict = await loadJson([...args, '--no-probe']);
    assert.deepEqual([strict.code, strict.failed, strict.errors], [1, 20, { 'not_found.account': 20 }]);
    assert.match(strict.err, /20 of 20 calls did not succeed/);
    const allowed = await load([...args, '--allow-errors']);
    assert.equal(allowed.code, 0, allowed.err);
    assert.match(allowed.out, /failed +20 +not_found\.account 20/);
  });

  it('shows as dropped what may not be in flight', async () => {
    const result = await loadJson(['streams.v1.StreamService/Watch', '--no-as', '--no-probe', '--data', '{"id":"w"}', '--rate', '40', '--duration', '250ms', '--deadline', '3s', '--max-in-flight', '4']);
    assert.deepEqual([result.code, result.intended, result.dropped, result.failed], [1, 10, 6, 4]);
    assert.ok(Object.keys(result.errors).every((code) => code.startsWith('timeout')), JSON.stringify(result.errors));
  });

  it('puts load on any server that has reflection', async () => {
    const result = await loadJson(['helloworld.Greeter/SayHello', '--rate', '50', '--duration', '400ms', '--data', '{"name":"{{n}}"}', '--address', foreign.address, '-H', 'x-own: yes']);
    assert.deepEqual([result.code, result.succeeded], [0, 20], result.err);
    assert.deepEqual(new Set(foreign.names), new Set(Array.from({ length: 21 }, (_, n) => String(n))));
    assert.ok(foreign.headers.every((each) => each === 'yes'));
    const unknown = await load(['helloworld.Nobody/SayHello', '--rate', '1', '--address', foreign.address]);
    assert.equal(unknown.code, 1);
    assert.match(unknown.err, /no contract "helloworld\.Nobody".*It has: .*helloworld\.Greeter/s);
  });

  it('refuses what makes no sense, with what to write instead', async () => {
    const cases: [string[], RegExp][] = [
      [[GET], /--rate/],
      [[GET, '--rate', '0'], /--rate 0 is no rate.*300/],
      [[GET, '--rate', 'fast'], /--rate fast is no rate/],
      [[GET, '--rate', '1000000'], /20000 calls a second are the most/],
      [[GET, '--rate', '0.1', '--duration', '1s'], /less than one call/],
      [[GET, '--rate', '1', '--duration', 'long'], /--duration long is no time/],
      [[GET, '--rate', '1', '--duration', '30h'], /longer than a day/],
      [[GET, '--rate', '1', '--arrivals', 'sometimes'], /fixed or poisson/],
      [[GET, '--rate', '1', '--max-in-flight', '0'], /from 1 to/],
      [[GET, '--rate', '1', '--address', 'nowhere'], /host:port/],
      [[GET, '--rate', '1', '--data', '{"id":'], /not JSON/],
      [[GET, '--rate', '1', '--data', '{"name":1}'], /no account\.v1\.GetAccountRequest/],
      [[GET, '--rate', '1', '--data', '{"id":"{{number}}"}'], /\{\{number\}\} stands for nothing/],
      [[GET, '--rate', '1', '--data', '@/not/there'], /cannot be read/],
      [[GET, '--rate', '1', '--svg', '/not/there/a.svg'], /cannot be written/],
      [['streams.v1.StreamService/Chat', '--rate', '1'], /takes a stream of requests/],
      [['account.v1.AccountService', '--rate', '1'], /names no method/],
    ];
    for (const [args, expected] of cases) {
      const { code, err, out } = await load(args);
      assert.equal(code, 2, `${args.join(' ')}: ${err}`);
      assert.match(err, expected);
      assert.equal(out, '');
    }
  });

  it('ends early at Ctrl-C, with the summary of what was measured', async () => {
    const { npm_command: _, ETCD_ENDPOINTS: _a, TALARIA_SERVICE_KEY_FILE: _b, ...inherited } = process.env;
    const cli = spawn(process.execPath, [MAIN, 'load', GET, '--rate', '100', '--duration', '10m', '--data', '{"id":"acc_1"}', '--json'], { env: { ...inherited, TALARIA_STATE_DIR: it_.stateDir }, stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 });
    let [out, err, killed] = ['', '', false];
    cli.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    cli.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
      // It has ticked once. A second signal would end the command itself.
      if (!killed && err.includes('1 s of 600 s')) killed = cli.kill('SIGINT');
    });
    const [code] = (await once(cli, 'close')) as [number | null];
    const result = JSON.parse(out) as Result;
    assert.equal(code, 0, err);
    assert.equal(result.interrupted, true);
    assert.ok(result.intended >= 50 && result.intended < 60_000 && result.succeeded === result.intended, out);
  });
});
