import assert from 'node:assert/strict';
import { test } from 'node:test';
import { featureFlags, memoryFlagSource } from '@talaria/flags';
import { silentLogger } from '@talaria/service';
import { experimentBaggage } from './experiments.ts';

const onOff = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' };
const everybody = { allocation: { on: [[0, 1_000_000]] } };

test('a call takes part by its customer, its account and its device, as far as they are known', async () => {
  const source = memoryFlagSource({ flags: { 'by-customer': onOff, 'by-account': onOff, 'by-device': onOff } });
  const flags = featureFlags({ source });
  await flags.start({ service: 'api.gateway', instance: 'inst_1', log: silentLogger, env: {} }, AbortSignal.timeout(20_000));
  const baggageFor = experimentBaggage(flags);
  const call = (fields: { principal?: string; account?: string; device?: string }) =>
    baggageFor({
      contract: 'account.v1.AccountService',
      method: 'GetAccount',
      service: 'service.account',
      principal: fields.principal === undefined ? undefined : { id: fields.principal, clientId: 'client_1', scopes: [] },
      header: (name) => (name === 'x-device-id' ? fields.device : undefined),
      field: (path) => (path === 'account_id' ? fields.account : undefined),
    });
  const all = { principal: 'user_1', account: 'acc_1', device: 'a phone*~!' };
  assert.deepEqual(call(all), { 'talaria-experiments': 'customer*user_1~account*acc_1~device*a%20phone%2A%7E%21' }, 'that nothing runs yet is decided, too: what starts meanwhile is for later calls');
  for (const key of ['customer', 'account', 'device']) source.setExperiment(`by-${key}`, { key, ...everybody });
  assert.deepEqual(call(all), { 'talaria-experiments': 'customer*user_1*by-customer!on~account*acc_1*by-account!on~device*a%20phone%2A%7E%21*by-device!on' });
  assert.deepEqual(call({ device: 'd1' }), { 'talaria-experiments': 'device*d1*by-device!on' });
  assert.deepEqual(call({ device: 'x'.repeat(513) }), {}, 'what strangers send is carried within limits only');
  source.setExperiment('by-device', { key: 'device', ...everybody, eligible: { '==': [{ var: 'method' }, 'ListAccounts'] } });
  assert.deepEqual(call({ device: 'd1' }), { 'talaria-experiments': 'device*d1' }, 'that it takes no part is decided, too');
  await flags.stop();
});
