import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { PlatformClient } from '@talaria/service';
import { gatewaysOf } from './gateways.ts';

/** A platform with gateways, each of which answers with a share for the rule `c`, knows no rule, or does not answer. */
function platformOf(gateways: Readonly<Record<string, number | 'no rule' | 'silent'>>): PlatformClient {
  const getRuleStats = async (_request: object, { instance }: { instance: string }): Promise<object> => {
    const says = gateways[instance];
    if (says === 'silent' || says === undefined) throw new Error('gone');
    return { instance, rules: says === 'no rule' ? [] : [{ id: 'c', share: says, versions: [] }] };
  };
  const endpoints = () => Object.keys(gateways).map((instance) => ({ id: instance, addresses: [], instance }));
  return { client: () => ({ getRuleStats }), service: { endpoints } } as unknown as PlatformClient;
}
const { signal } = new AbortController();

it('asks each gateway, and tells those apart that have not applied a share or do not answer', async () => {
  const gateways = gatewaysOf(platformOf({ a: 0.05, b: 0.01, c: 'no rule', d: 'silent', e: 0.05 }));
  assert.equal(gateways.count, 5);
  const { stats, behind, silent } = await gateways.ask('c', 0.05, signal);
  assert.deepEqual([stats.map(({ share }) => share), behind, silent], [[0.05, 0.05], ['b', 'c'], ['d']]);
  assert.deepEqual(await gatewaysOf(platformOf({})).ask('c', 1, signal), { stats: [], behind: [], silent: [] });
});
