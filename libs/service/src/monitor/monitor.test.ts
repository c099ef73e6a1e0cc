import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { silentLogger, type Checker } from '@talaria/base';
import { GatewayServiceDefinition } from '@talaria/contracts/talaria/gateway/v1/gateway';
import type { InstanceReport } from '@talaria/discovery';
import { grpcTransport, type Endpoint } from '@talaria/rpc';
import { createPlatform, eventually, type TestPlatform } from '@talaria/testing';
import type { Service } from '../types.ts';
import { directClients, type DirectClients } from '../topology/direct-clients.ts';
import { createMonitor, type Monitor } from './monitor.ts';
import { createPoll } from './poll.ts';

const SERVICE = 'service.watched';
const CONTRACT = GatewayServiceDefinition.fullName;

describe('the monitor', { timeout: 120_000 }, () => {
  let platform: TestPlatform;
  let clients: () => DirectClients;
  const broken = new Set<string>();
  const silent: Server = createServer();
  const monitors: Monitor[] = [];

  const make = (): Service => {
    const checkers: Checker[] = [
      {
        name: 'disk',
        critical: true,
        check() {
          if (broken.has(service.instance)) throw new Error('full');
          return { free: 12n, folders: ['a', undefined] };
        },
      },
      { name: 'cache', priority: 'info', check: () => Promise.reject(new Error('cold')) },
    ];
    const service: Service = platform.service({ name: SERVICE, version: '1.2.3', checkers });
    return service.add(GatewayServiceDefinition, { getRuleStats: async () => ({}) });
  };
  /** Of an instance, as it would be on its own; the services of this test are too young for theirs. */
  const monitor = (instance: string): Monitor => {
    const one = createMonitor({ log: silentLogger, service: SERVICE, instance, elections: () => elections, reports: () => platform.registry.reports, resolver: platform.registry, contracts: () => [CONTRACT], clients, intervalMs: 100, timeoutMs: 1_000, delayMs: 0 });
    const elections = platform.elections.of(SERVICE);
    monitors.push(one);
    one.start();
    return one;
  };
  const report = async (instance: string): Promise<InstanceReport | undefined> => (await platform.registry.reports.list(SERVICE)).find((each) => each.instance === instance);

  before(() => new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve)));
  after(() => void silent.close());
  beforeEach(async () => {
    platform = await createPlatform({ listen: 'h2c' });
    const caller = platform.service({ name: SERVICE });
    clients = () => directClients({ transports: [grpcTransport()], tokens: caller.tokens });
  });
  afterEach(async () => {
    for (const one of monitors.splice(0)) await one.stop();
    await platform?.stop();
  });

  test('publishes what the checkers of every instance say, what does not answer, and its own end', async () => {
    const [one, two] = [make(), make()];
    await Promise.all([one.start(), two.start()]);
    const { port } = silent.address() as { port: number };
    const frozen = platform.registry.register({ contract: CONTRACT, address: `127.0.0.1:${port}`, ext: { instance: 'inst_frozen', service: SERVICE, version: '1.2.2' } });
    const first = monitor('inst_one');
    await eventually(async () => (await report('inst_frozen')) !== undefined && (await report(two.instance)) !== undefined);

    const { since, at, ...well } = (await report(one.instance)) ?? assert.fail();
    const address = (one.address ?? '').replace('h2c://', '');
    assert.deepEqual(
      { ...well, checkers: well.checkers.filter(({ name }) => name === 'disk' || name === 'cache').map(({ durationMs, since: checkedSince, ...checker }) => (assert.ok(durationMs >= 0 && checkedSince), checker)) },
      {
        service: SERVICE, instance: one.instance, address, version: '1.2.3', reachable: true, ready: true, registered: true, monitor: 'inst_one',
        checkers: [{ name: 'disk', priority: 'critical', ok: true, data: { free: '12', folders: ['a', null] } }, { name: 'cache', priority: 'info', ok: false, error: 'cold' }],
      },
    );
    assert.ok(since <= at);
    const away = await report('inst_frozen');
    assert.deepEqual([away?.reachable, away?.registered, away?.version, away?.checkers], [false, true, '1.2.2', []]);
    assert.ok(away?.error);

    broken.add(two.instance);
    await eventually(async () => (await report(two.instance))?.ready === false);
    assert.equal((await report(two.instance))?.checkers.find(({ name }) => name === 'disk')?.error, 'full');
    broken.delete(two.instance);
    await eventually(async () => (await report(two.instance))?.ready === true);

    // It froze so long that its registration ran out: its kernel still takes connections.
    await frozen.close();
    await eventually(async () => (await report('inst_frozen'))?.registered === false);
    // It has left as it should.
    await two.stop();
    await eventually(async () => (await report(two.instance)) === undefined);
    assert.equal((await report('inst_frozen'))?.reachable, false);

    // By then the instance that is left campaigns, too.
    const second = monitor('inst_two');
    await first.stop();
    await eventually(async () => ((await report(one.instance))?.monitor ?? 'inst_one') !== 'inst_one');
    await Promise.all([one.stop(), second.stop()]);
    assert.deepEqual(await platform.registry.reports.list(SERVICE), []);
  });

  test('a poll keeps since when it is so, and what the monitor before knew of it', async () => {
    const one = make();
    await one.start();
    const direct = clients();
    const at = '2026-01-02T03:04:05.000Z';
    const endpoint: Endpoint = { id: (one.address ?? '').replace('h2c://', ''), addresses: [one.address ?? ''], instance: one.instance, service: SERVICE };
    const report = { service: SERVICE, instance: one.instance, address: endpoint.id, reachable: true, ready: true, registered: true, since: at, checkers: [], monitor: 'before', at };
    const poll = createPoll({ service: SERVICE, monitor: 'inst_m', clients: direct, timeoutMs: 5_000 }, [report]);
    const { signal } = new AbortController();
    assert.equal((await poll([endpoint], signal))[0]?.since, at);
    const [other] = await poll([{ ...endpoint, instance: 'inst_other' }], signal);
    assert.equal(other?.reachable, false);
    assert.match(other.error ?? '', /another instance answers there/);
    await direct.close();
    await one.stop();
  });

  test('an instance monitors its service by itself', async () => {
    const one = make();
    await one.start();
    const found = await eventually(async () => (await platform.registry.reports.list(SERVICE))[0]);
    assert.deepEqual([found.instance, found.monitor, found.reachable], [one.instance, one.instance, true]);
    await one.stop();
    assert.deepEqual(await platform.registry.reports.list(SERVICE), []);
  });
});
