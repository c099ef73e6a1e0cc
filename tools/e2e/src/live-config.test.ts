// Settings that change while the platform runs: what `talaria config set` writes is seen in what the services do.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { silentLogger } from '@talaria/base';
import { connectEtcd, type Etcd } from '@talaria/etcd';
import { findPlatform } from '@talaria/service';
import { startRealPlatform } from '@talaria/testing';
import { startSpanReceiver, type SpanReceiver } from './five-minutes/span-receiver.ts';
import { ask, eventually, login, openAccount, ownEtcd, startReceiver, type Answer, type Platform, type Receiver } from './harness.ts';
import { run } from './run.ts';

/** Ten times what the slowest of these takes. */
const PATIENTLY = { limitMs: 120_000 };
const NAMESPACE = `live-${process.pid}`;

let receiver: Receiver;
let collector: SpanReceiver;
let platform: Platform;
let etcd: Etcd;
let token: string;
let account: string;

before(async () => {
  receiver = await startReceiver();
  collector = await startSpanReceiver();
  platform = await startRealPlatform({ env: { TALARIA_NAMESPACE: NAMESPACE, LOG_LEVEL: 'info', TALARIA_FAULTS: 'allow', OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '50' } });
  etcd = connectEtcd({ endpoints: findPlatform({}, platform.stateDir).endpoints, log: silentLogger });
  token = await login(platform);
  account = await openAccount(platform, token);
});
after(async () => {
  etcd?.close();
  await platform?.stop();
  await collector?.close();
  await receiver?.close();
});

/** `talaria config …`, as a person types it; answers what it printed to standard output. */
const config = (...args: string[]): Promise<string> => run('npx', ['talaria', 'config', ...args], { env: { TALARIA_STATE_DIR: platform.stateDir, TALARIA_NAMESPACE: NAMESPACE } });
/** Writes, all at once, as somebody might who does not use the command. */
const write = (target: string, values: Readonly<Record<string, string>>): Promise<unknown> =>
  etcd.transaction({ compare: [], success: Object.entries(values).map(([name, value]) => ({ put: `talaria/${NAMESPACE}/config/${target}/${name}`, value })) });

interface Line {
  readonly service?: string;
  readonly level?: string;
  readonly msg?: string;
  readonly setting?: string;
  readonly checker?: string;
  readonly value?: string;
  readonly temporary?: boolean;
  readonly retry_in_ms?: number | null;
  readonly request_id?: string;
}
/** What a service has logged so far. */
const linesOf = (service: string): Line[] =>
  platform
    .output()
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line.slice(line.indexOf('{'))) as Line];
      } catch {
        return [];
      }
    })
    .filter((line) => line.service === service);

let requests = 0;
/** Lists the accounts, and answers the id of that request. */
async function listAccounts(): Promise<string> {
  const id = `live-${++requests}`;
  const answer = await fetch(`${platform.gateway}/accounts`, { headers: { authorization: `Bearer ${token}`, 'x-request-id': id }, signal: AbortSignal.timeout(60_000) });
  assert.equal(answer.status, 200, await answer.text());
  return id;
}
const debugLinesOf = (request: string): Line[] => linesOf('service.account').filter(({ level, request_id }) => level === 'debug' && request_id === request);
const open = (description: string): Promise<Answer> => ask(platform, '/accounts', { token, json: { description } });

test('the log level of one service', async () => {
  const quiet = await listAccounts();
  await config('set', 'service.account', 'log.level', 'debug', '--why', 'hunting a leak');
  const loud = await listAccounts();
  await eventually(() => debugLinesOf(loud).length > 0, PATIENTLY);
  assert.deepEqual(debugLinesOf(quiet), []);
  await config('unset', 'service.account', 'log.level');
  const again = await listAccounts();
  // A service writes its lines in order.
  await config('set', 'service.account', 'log.level', 'trace');
  const last = await listAccounts();
  await eventually(() => debugLinesOf(last).length > 0, PATIENTLY);
  assert.deepEqual(debugLinesOf(again), []);
  await config('unset', 'service.account', 'log.level');
});

test('the share of traces that is sampled', async () => {
  const traceOf = async (): Promise<string> => (await ask(platform, '/nothing-is-here')).body.trace_id;
  await config('set', 'global', 'telemetry.sampling', '0');
  const unsampled = await traceOf();
  await config('unset', 'global', 'telemetry.sampling');
  const sampled = await traceOf();
  // The gateway exports in order.
  await eventually(() => collector.spans.some(({ traceId }) => traceId === sampled), PATIENTLY);
  assert.ok(!collector.spans.some(({ traceId }) => traceId === unsampled));
});

test('the limits of the gateway', async () => {
  assert.equal((await open('Wendy Darling')).status, 200);
  await config('set', 'api.gateway', 'gateway.max_body_bytes', '20');
  assert.equal((await open('Wendy Darling')).status, 413);
  await config('unset', 'api.gateway', 'gateway.max_body_bytes');
  assert.equal((await open('Wendy Darling')).status, 200);
  await config('set', 'api.gateway', 'gateway.deadline', '1ms');
  await eventually(async () => (await ask(platform, '/accounts', { token })).status === 504, PATIENTLY);
  await config('unset', 'api.gateway', 'gateway.deadline');
  await listAccounts();
});

test('the deadline of a method, also from within', async () => {
  await config('set', 'global', 'call.deadlines', '{"account.v1.AccountService/ListAccounts": "1ms"}');
  const late = await eventually(async () => {
    const answer = await ask(platform, '/accounts', { token });
    return answer.status === 200 ? undefined : answer;
  }, PATIENTLY);
  assert.deepEqual([late.status, late.body.code], [504, 'timeout.deadline']);
  assert.equal((await open('Captain Hook')).status, 200);
  await config('unset', 'global', 'call.deadlines');
  await listAccounts();
});

test('the schedule of webhooks', async () => {
  receiver.status = 500;
  const registered = await ask(platform, '/webhooks', { token, form: { account_id: account, url: receiver.url } });
  assert.equal(registered.status, 200);
  await config('set', 'service.webhook', 'webhook.delays', '["100ms", "100ms"]', 'webhook.attempt_timeout', '5s');
  const json = { account_id: account, amount: -520, currency: 'GBP', description: 'Coffee', dedupe_id: 'live-1' };
  assert.equal((await ask(platform, '/transactions', { token, json })).status, 200);
  await eventually(() => linesOf('service.webhook').some((line) => line.msg === 'webhook attempt failed' && line.retry_in_ms === null), PATIENTLY);
  assert.equal(receiver.received.length, 3);
  await config('unset', 'service.webhook', 'webhook.delays', 'webhook.attempt_timeout');
});

test('faults, on purpose, in the service that is called and in the one that calls', async () => {
  const fault = (side: string): string => JSON.stringify([{ id: `${side}-down`, side, method: 'account.v1.AccountService/ListAccounts', fault: { error: { code: 'UNAVAILABLE' } } }]);
  for (const [service, side] of [
    ['service.account', 'server'],
    ['api.gateway', 'client'],
  ] as const) {
    await config('set', service, 'faults.rules', fault(side));
    assert.equal((await ask(platform, '/accounts', { token })).status, 503);
    await eventually(() => linesOf(service).some(({ level, msg = '' }) => level === 'warn' && msg.includes(`${side}-down: UNAVAILABLE`)), PATIENTLY);
    await config('unset', service, 'faults.rules');
    await eventually(async () => (await ask(platform, '/accounts', { token })).status === 200, PATIENTLY);
  }
  await assert.rejects(config('set', 'service.account', 'faults.rules', '[{"side": "server", "fault": {"delay": "soon"}}]'), /faults\.rules/);
});

test('a change for a while ends by itself', async () => {
  await config('set', 'api.gateway', 'gateway.max_body_bytes', '21', '--for', '5s');
  const changes = (): [value: string | undefined, temporary: boolean][] =>
    linesOf('api.gateway').flatMap(({ msg, setting, value, temporary = false }) => (msg === 'a setting has changed' && setting === 'gateway.max_body_bytes' ? [[value, temporary]] : []));
  // From here on nobody does anything.
  await eventually(() => changes().at(-2)?.[0] === '21', PATIENTLY);
  assert.deepEqual(changes().slice(-2), [['21', true], ['1048576', false]]);
  assert.equal((await open('Wendy Darling')).status, 200);
  assert.match(await config('history', 'api.gateway', 'gateway.max_body_bytes'), /21/);
});

test('a value that is written by hand and wrong is kept out, and what was written with it too', async () => {
  await write('service/api.gateway', { 'gateway.max_body_bytes': '5', 'gateway.deadline': '"soon"' });
  await eventually(() => linesOf('api.gateway').some(({ level, msg = '' }) => level === 'error' && msg.includes('gateway.deadline')), PATIENTLY);
  assert.equal((await open('Wendy Darling')).status, 200);
  await write('service/api.gateway', { 'gateway.deadline': '"10s"' });
  await eventually(async () => (await open('Wendy Darling')).status === 413, PATIENTLY);
  await config('unset', 'api.gateway', 'gateway.max_body_bytes', 'gateway.deadline');
  assert.equal((await open('Wendy Darling')).status, 200);
});

test('a value that is wrong is said in the log, by the checker, and by the command, which would not have written it', async () => {
  await config('set', 'service.account', 'log.level', 'debug');
  await write('service/service.account', { 'log.level': '"loud"' });
  await eventually(() => linesOf('service.account').some(({ level, msg = '' }) => level === 'error' && msg.includes('log.level')), PATIENTLY);
  await eventually(() => linesOf('service.account').some(({ level, checker }) => level !== 'info' && checker === 'config'), PATIENTLY);
  const id = await listAccounts();
  await eventually(() => debugLinesOf(id).length > 0, PATIENTLY);
  assert.match(await config('explain', 'service.account', 'log.level'), /loud/);
  await assert.rejects(config('validate'), /log\.level/);
  await assert.rejects(config('set', 'service.account', 'log.level', 'loud'), /log\.level/);
  await assert.rejects(config('set', 'service.account', 'log.levle', 'debug'), /log\.level/);
  await config('unset', 'service.account', 'log.level');
  await config('validate');
});

test('etcd may be away: settings stay, a service that starts takes what was last known, and all catch up', async () => {
  await config('set', 'service.account', 'log.level', 'debug');
  const kept = await listAccounts();
  await eventually(() => debugLinesOf(kept).length > 0, PATIENTLY);
  if (ownEtcd) {
    // Frozen, not killed: serve would start another one.
    assert.ok((await platform.kill('tools/etcd/', 'SIGSTOP')) > 0);
    const id = await listAccounts();
    await eventually(() => debugLinesOf(id).length > 0, PATIENTLY);
    assert.ok((await platform.kill('apps/account-service/src/main.ts')) > 0);
    await eventually(() => linesOf('service.account').some(({ msg = '' }) => msg.includes('starting with the settings that were last known')), PATIENTLY);
    assert.ok((await platform.kill('tools/etcd/', 'SIGCONT')) > 0);
    await eventually(() => linesOf('service.account').some(({ msg = '' }) => msg.includes('following the settings again')), PATIENTLY);
    await platform.kill('tools/etcd/');
  } else {
    assert.ok((await platform.kill('apps/account-service/src/main.ts')) > 0);
  }
  await eventually(() => config('set', 'service.account', 'log.level', 'trace').then(() => true), PATIENTLY);
  const id = await eventually(() => listAccounts(), PATIENTLY);
  await eventually(() => debugLinesOf(id).length > 0, PATIENTLY);
  await config('unset', 'service.account', 'log.level');
});
