import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { silentLogger as log, type Checker } from '@talaria/base';
import { GatewayServiceDefinition } from '@talaria/contracts/talaria/gateway/v1/gateway';
import { etcdRegistry } from '@talaria/discovery';
import { connectEtcd } from '@talaria/etcd';
import type { Service } from '@talaria/service';
import { eventually } from '@talaria/testing';
import { runCli, served, type Served } from '../testing/served.ts';
import type { HealthSnapshot } from '../health/snapshot.ts';
import type { Snapshot } from './snapshot.ts';

const CONTRACT = GatewayServiceDefinition.fullName;

describe('talaria topology, and health', { timeout: 180_000 }, () => {
  let it_: Served;
  const services: Service[] = [];
  let caller: Service;
  let isBroken = false;

  const make = (name: string, version: string, checkers: readonly Checker[] = []): Service => {
    const service = it_.service({ name, version, checkers });
    services.push(service);
    return service;
  };
  const talaria = (...args: string[]) => runCli(args, { TALARIA_STATE_DIR: it_.stateDir });
  const json = async <T>(...args: string[]): Promise<T> => JSON.parse((await talaria(...args, '--json')).out) as T;

  before(async () => {
    it_ = await served();
    const disk: Checker = {
      name: 'disk',
      critical: true,
      check() {
        if (isBroken) throw new Error('full\u0007');
        return { free: 7 };
      },
    };
    for (const checkers of [[disk], []]) make('service.gate', '3.0.0', checkers).add(GatewayServiceDefinition, { getRuleStats: async () => ({ instance: 'x' }) });
    caller = make('service.caller', '1.0.0').add({ fullName: 'caller.v1.CallerService', name: 'CallerService', methods: {} }, {});
    await Promise.all(services.map((service) => service.start()));
  });
  after(async () => {
    await it_?.stop();
  });

  it('shows the endpoints when nobody has called them', async () => {
    const { code, out, err } = await talaria('topology', CONTRACT);
    assert.equal(code, 0, err);
    assert.match(out, /^talaria\.gateway\.v1\.GatewayService of service\.gate: 2 instances, 0 callers\n/);
    assert.match(out, /\nINSTANCE +ADDRESS +ZONE +VERSION +READY/);
    assert.match(out, /\nNobody has called it yet: /);
    for (const { instance, address = '' } of services.slice(0, 2)) assert.match(out, new RegExp(`\\n${instance} +${address.replace('h2c://', '')} +3\\.0\\.0 +yes`));
    assert.match((await talaria('topology', 'account.v1.AccountServic')).err, /did you mean account\.v1\.AccountService/i);
  });

  it('shows how callers see them, and who does not answer', async () => {
    const client = caller.client(GatewayServiceDefinition);
    for (let call = 0; call < 20; call++) await client.getRuleStats({});
    const snapshot = await json<Snapshot>('topology', CONTRACT);
    assert.deepEqual(snapshot.callers, [{ service: 'service.caller', instance: caller.instance }]);
    assert.equal(snapshot.endpoints.length, 2);
    const seen = snapshot.endpoints.flatMap(({ callers }) => callers);
    assert.equal(seen.reduce((all, { calls }) => all + calls, 0), 20);
    assert.equal(seen.reduce((all, { share = 0 }) => all + share, 0), 1);
    assert.deepEqual(snapshot.methods.map(({ method, callers }) => [method, callers.map(({ calls, breaker }) => [calls, breaker.state])]), [[`${CONTRACT}/GetRuleStats`, [[20, 'closed']]]]);
    const { out } = await talaria('topology', CONTRACT, '--from', 'service.caller');
    assert.match(out, new RegExp(`service\\.caller …${caller.instance.slice(-6)} +ready`));
    assert.match(out, /\nMETHOD +CALLER +BREAKER[^\n]*\nGetRuleStats +service\.caller …\w{6} +closed +0 +\d+ left, 0 spent/);
    assert.equal((await json<Snapshot>('topology', CONTRACT, '--from', caller.instance.slice(-6))).callers.length, 1);
    assert.equal((await json<Snapshot>('topology', CONTRACT, '--from', 'service.gate')).callers.length, 0);
    assert.match((await talaria('topology', CONTRACT, '--from', 'service.none')).err, /--from takes one of .*service\.caller/);

    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const etcd = connectEtcd({ endpoints: it_.etcd, log });
    const registry = etcdRegistry({ etcd, log });
    await registry.register({ contract: 'caller.v1.CallerService', address: `127.0.0.1:${port}`, ext: { instance: 'inst_silent', service: 'service.caller' } }).ready;
    assert.match((await talaria('topology', CONTRACT)).out, new RegExp(`\\nservice\\.caller …silent at 127\\.0\\.0\\.1:${port} does not answer: `));
    await registry.close();
    etcd.close();
    silent.close();
  });

  it('says what the monitor found, and fails while something critical does', async () => {
    const [broken, well] = services as [Service, Service];
    const health = async (): Promise<HealthSnapshot> => json('health', 'service.gate');
    await eventually(async () => (await health()).instances.every(({ monitor }) => monitor?.reachable));
    const { instances } = await health();
    assert.deepEqual(instances.map(({ instance }) => instance).sort(), [broken.instance, well.instance].sort());
    assert.ok(instances.some(({ inBand }) => (inBand?.calls ?? 0) > 0));
    assert.equal((await talaria('health', 'service.gate')).code, 0);
    isBroken = true;
    await eventually(async () => (await health()).instances.find(({ instance }) => instance === broken.instance)?.monitor?.ready === false);
    const { code, out, err } = await talaria('health', 'service.gate');
    assert.equal(code, 1);
    assert.match(out, new RegExp(`\\nservice\\.gate +${broken.instance} +\\S+ +3\\.0\\.0 +not ready `));
    assert.match(out, /\n {2}disk \(critical\) {2}FAILS: full\\u0007, since /);
    assert.match(err, /1 of 2 instances is not well/);
    assert.match((await talaria('services')).out, /NOT READY/);
    assert.match((await talaria('topology', CONTRACT)).out, new RegExp(`\\n${broken.instance} +\\S+ +3\\.0\\.0 +no `));
    isBroken = false;
    await eventually(async () => (await talaria('health', 'service.gate')).code === 0);
    assert.match((await talaria('health', 'service.gat')).err, /Did you mean "service\.gate"\?/);
  });

  it('calls one instance, or one version', async () => {
    const call = (...args: string[]) => talaria('call', `${CONTRACT}/GetRuleStats`, '{}', '--no-as', ...args);
    assert.equal((await call('--instance', services[0]?.instance ?? '')).code, 0);
    assert.equal((await call('--version', '3.0.0')).code, 0);
    assert.match((await call('--version', '4.0.0')).err, /No instance of .* runs version 4\.0\.0/);
    assert.match((await call('--instance', 'inst_none')).err, /The instance inst_none does not serve/);
  });

  it('completes contracts, services and callers', async () => {
    const complete = async (...args: string[]): Promise<string[]> => (await runCli(['complete', '--', ...args], { TALARIA_STATE_DIR: it_.stateDir, TALARIA_COMPLETION_TIMEOUT: '60s' })).out.split('\n').filter(Boolean).map((line) => line.split('\t', 1)[0] ?? '');
    assert.deepEqual(await complete('topology', 'talaria.'), [CONTRACT]);
    assert.deepEqual(await complete('health', 'service.g'), ['service.gate']);
    assert.deepEqual(await complete('topology', CONTRACT, '--from', 'service.c'), ['service.caller']);
  });
});
