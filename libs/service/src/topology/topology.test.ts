import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { CheckPriority } from '@talaria/contracts/talaria/topology/v1/topology';
import { hasCode } from '@talaria/errors';
import { grpcTransport } from '@talaria/rpc';
import { createPlatform, eventually, type TestPlatform } from '@talaria/testing';
import { answer } from '../authoring.ts';
import type { Service } from '../types.ts';
import { asJson } from './as-json.ts';
import { directClients, type DirectClients } from './direct-clients.ts';
import { topologyDefinition } from './platform-contract.ts';

const CONTRACT = AccountServiceDefinition.fullName;
const METHOD = `${CONTRACT}/ListAccounts`;

describe('what an instance tells of itself', () => {
  let platform: TestPlatform;
  let callee: Service;
  let caller: Service;
  let direct: DirectClients;

  before(async () => {
    platform = await createPlatform({ listen: 'h2c' });
    const refuse = (): never => {
      throw new Error('not part of this test');
    };
    callee = platform.service({ name: 'service.account', version: '2.0.0', checkers: [{ name: 'disk', priority: 'critical', check: () => ({ free: 7 }) }] });
    callee.add(AccountServiceDefinition, { createAccount: refuse, getAccount: refuse, listAccounts: async () => ({ accounts: [] }) });
    caller = platform.service({ name: 'service.caller' });
    await platform.start();
    direct = directClients({ transports: [grpcTransport()], tokens: caller.tokens });
    direct.reach([callee, caller].map(({ address = '', instance }) => ({ id: address.replace('h2c://', ''), addresses: [address], instance })));
  });
  after(async () => {
    await direct?.close();
    await platform?.stop();
  });

  const client = () => direct.client(topologyDefinition);

  test('its checkers', async () => {
    await callee.health.check();
    const { instance, ready, serving, checks } = await client().getChecks({}, { instance: callee.instance });
    assert.deepEqual([instance, ready, serving], [{ id: callee.instance, service: 'service.account', version: '2.0.0', zone: '' }, true, true]);
    const disk = checks.find(({ name }) => name === 'disk');
    assert.deepEqual([disk?.priority, disk?.ok, disk?.error, disk?.data], [CheckPriority.CHECK_PRIORITY_CRITICAL, true, '', { free: 7 }]);
    assert.ok(disk?.since instanceof Date);
  });

  test('those that it calls, and what became of its calls', async () => {
    const before = await client().getTopology({ contract: CONTRACT }, { instance: caller.instance });
    assert.deepEqual(before.contracts, [], 'nothing was called yet');
    await assert.rejects(caller.client(AccountServiceDefinition).listAccounts({}), (error) => hasCode(error, 'unauthorized.principal'));
    const { instance, contracts, server } = await client().getTopology({ contract: CONTRACT }, { instance: caller.instance });
    assert.equal(instance?.service, 'service.caller');
    assert.equal(contracts.length, 1);
    const [endpoint] = contracts[0]?.endpoints ?? [];
    assert.deepEqual([endpoint?.instance, endpoint?.version, endpoint?.ready, endpoint?.connection], [callee.instance, '2.0.0', true, 'ready']);
    assert.ok((endpoint?.calls ?? 0n) >= 1n, 'what the picker counts');
    assert.equal(endpoint?.ejected, undefined);
    const [method] = contracts[0]?.methods ?? [];
    assert.deepEqual([method?.method, method?.breaker?.state, method?.calls], [METHOD, 'closed', 1n]);
    assert.ok((method?.budget?.left ?? 0) > 0);
    assert.ok(server);
    assert.deepEqual((await client().getTopology({ contract: 'x.v1.Other' }, { instance: caller.instance })).contracts, []);
    assert.ok((await client().getTopology({}, { instance: caller.instance })).contracts.length >= 1);
  });

  test('is for services only, and in no registry', async () => {
    const nobody = directClients({ transports: [grpcTransport()], tokens: undefined });
    nobody.reach([{ id: 'x', addresses: [callee.address ?? ''], instance: 'i' }]);
    await assert.rejects(nobody.client(topologyDefinition).getChecks({}, { instance: 'i' }), (error) => hasCode(error, 'unauthorized.caller'));
    await nobody.close();
    assert.deepEqual([...(await platform.registry.services()).keys()], [CONTRACT]);
    assert.ok(!callee.methods().some(({ path }) => path.includes('TopologyService')));
  });

  test('what its fallbacks have answered', async () => {
    const withFallback = caller.client(AccountServiceDefinition, { fallback: { listAccounts: answer(() => ({ accounts: [] })) } });
    await callee.stop();
    await eventually(() => caller.endpoints(CONTRACT)?.length === 0);
    await withFallback.listAccounts({});
    const { contracts } = await client().getTopology({ contract: CONTRACT }, { instance: caller.instance });
    assert.deepEqual(contracts[0]?.fallbacks, [{ method: METHOD, kind: 'default', used: 1n }]);
  });
});

test('data become JSON, whatever they are', () => {
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  assert.deepEqual(asJson({ a: 1n, b: undefined, c: new Date(0), d: [undefined] }), { a: '1', c: '1970-01-01T00:00:00.000Z', d: [null] });
  assert.deepEqual(asJson(undefined), {});
  assert.deepEqual(asJson([1]), { value: [1] });
  assert.match(String(asJson(circular)['unreadable']), /circular/);
  assert.ok(JSON.stringify(asJson({ text: 'x'.repeat(100_000) })).length < 2_000);
});
