import assert from 'node:assert/strict';
import { silentLogger } from '@talaria/base';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { connectEtcd } from '@talaria/etcd';
import { createPlatform } from '@talaria/testing';
import { createService } from '../service.ts';
import type { Service } from '../types.ts';
import { accountHandlers, assertClean, pinging, runCycles, type CyclesResult } from './cycles.ts';
import { startEtcd } from './etcd.ts';

/** Runs cycles with services that meet in an etcd of their own. Throws if something fails, leaks or stays in etcd. */
export async function runEtcdCycles(cycles: number, atOnce: number): Promise<CyclesResult> {
  const etcd = await startEtcd();
  const platform = await createPlatform();
  const client = connectEtcd({ endpoints: etcd.endpoints, log: silentLogger });
  const make = (name: string): Service =>
    createService({ name, description: 'A service of a test', platform: { env: { ETCD_ENDPOINTS: etcd.endpoints }, log: silentLogger, keys: platform.keys, key: platform.keys.of(name) } });
  const service = make('service.account').add(AccountServiceDefinition, accountHandlers);
  const caller = make('service.caller');
  const accounts = caller.client(AccountServiceDefinition);
  /** Refused by its rule and so answered by the service itself, which is all that counts here. */
  const call = async (): Promise<void> => {
    const error: unknown = await accounts.listAccounts({}).catch((reason: unknown) => reason);
    if ((error as { code?: string }).code !== 'unauthorized.principal') throw error;
  };
  try {
    await Promise.all([service.start(), caller.start()]);
    const result = await runCycles({ service, call, ping: pinging(caller), cycles, atOnce });
    assertClean(result);
    const { entries } = await client.list('talaria/default/services/');
    assert.deepEqual(
      entries.map(({ key }) => key.split('/')[3]),
      ['account.v1.AccountService'],
    );
    return result;
  } finally {
    await Promise.all([service.stop(), caller.stop()]);
    client.close();
    await platform.stop();
    await etcd.stop();
  }
}
