import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Checker, silentLogger } from '@talaria/base';
import { GatewayServiceDefinition } from '@talaria/contracts/talaria/gateway/v1/gateway';
import { healthDefinition } from '@talaria/health';
import { grpcTransport } from '@talaria/rpc';
import { createPlatform, eventually, type TestPlatform } from '@talaria/testing';
import { createService } from './service.ts';
import { startEtcd, type TestEtcd } from './testing/etcd.ts';
import { directClients } from './topology/direct-clients.ts';
import type { Service } from './types.ts';

const CONTRACT = GatewayServiceDefinition.fullName;

/** Makes services of one world. */
type Make = (name: string, checkers: readonly Checker[]) => Service;

/** One of three whose critical checker can be broken. */
interface Member {
  readonly service: Service;
  broken: boolean;
  calls: number;
}

function member(make: Make): Member {
  const one: Member = {
    broken: false,
    calls: 0,
    service: make('service.three', [
      {
        name: 'disk',
        critical: true,
        check() {
          if (one.broken) throw new Error('full');
          return { free: 7n };
        },
      },
    ]),
  };
  one.service.add(GatewayServiceDefinition, {
    async getRuleStats() {
      one.calls++;
      return { instance: one.service.instance };
    },
  });
  return one;
}

/** What holds wherever instances are registered. */
async function readiness(make: Make): Promise<void> {
  const members = [member(make), member(make), member(make)] as const;
  const [first] = members;
  const caller = make('service.caller', []);
  const client = caller.client(GatewayServiceDefinition);
  const ready = (): string => (caller.endpoints(CONTRACT) ?? []).map(({ instance, ready: isReady = true }) => `${members.findIndex(({ service }) => service.instance === instance)} ${isReady}`).sort().join();
  const callMany = async (): Promise<readonly number[]> => {
    for (const one of members) one.calls = 0;
    for (let call = 0; call < 60; call++) await client.getRuleStats({});
    return members.map(({ calls }) => calls);
  };
  /** What clients hear of each other in, they hear in turns: calls go by it, soon. */
  const callsGo = (what: (calls: readonly number[]) => boolean): Promise<boolean> => eventually(async () => what(await callMany()));
  try {
    await Promise.all(members.map(({ service }) => service.start()));
    await caller.start();
    await eventually(() => ready() === '0 true,1 true,2 true');
    await callsGo((calls) => calls.every((count) => count > 0));

    first.broken = true;
    await eventually(() => ready() === '0 false,1 true,2 true');
    await callsGo(([gone, ...others]) => gone === 0 && others.every((count) => count > 0));
    const direct = directClients({ transports: [grpcTransport()], tokens: undefined });
    direct.reach(caller.endpoints(CONTRACT) ?? []);
    assert.deepEqual(await direct.client(healthDefinition).check({ service: '' }, { instance: first.service.instance }), { status: 2 }, 'gRPC health says it, too');
    await direct.close();

    for (const one of members) one.broken = true;
    await eventually(() => ready() === '0 false,1 false,2 false');
    await callsGo((calls) => calls.every((count) => count > 0));

    for (const one of members) one.broken = false;
    await eventually(() => ready() === '0 true,1 true,2 true');
    await callsGo((calls) => calls.every((count) => count > 0));
  } finally {
    await Promise.all([...members.map(({ service }) => service.stop()), caller.stop()]);
  }
}

describe('an instance whose critical checker fails leaves the pool and returns by itself; if all fail, all stay', { timeout: 180_000, concurrency: 1 }, () => {
  let platform: TestPlatform;
  let etcd: TestEtcd;
  before(async () => {
    platform = await createPlatform({ listen: 'h2c' });
    etcd = await startEtcd();
  });
  after(async () => {
    await platform?.stop();
    await etcd?.stop();
  });

  test('in memory', () => readiness((name, checkers) => platform.service({ name, checkers })));

  test('in etcd', () =>
    readiness((name, checkers) =>
      createService({ name, description: 'A service of a test', checkers, platform: { env: { ETCD_ENDPOINTS: etcd.endpoints }, log: silentLogger, keys: platform.keys, key: platform.keys.of(name) } }),
    ));
});
