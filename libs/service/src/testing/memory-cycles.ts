import assert from 'node:assert/strict';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { createPlatform } from '@talaria/testing';
import { accountHandlers, assertClean, pinging, runCycles, type CyclesResult } from './cycles.ts';

/** Runs cycles with a registry in memory, over sockets. Throws if something fails, leaks or stays in the registry. */
export async function runMemoryCycles(cycles: number, atOnce: number): Promise<CyclesResult> {
  const platform = await createPlatform({ listen: 'h2c' });
  const service = platform.service({ name: 'service.account' }).add(AccountServiceDefinition, accountHandlers);
  const caller = platform.service({ name: 'service.caller' });
  const accounts = platform.client(AccountServiceDefinition, { as: { id: 'user_1', scopes: ['accounts:read'] } });
  try {
    await platform.start();
    const result = await runCycles({ service, call: () => accounts.listAccounts({}), ping: pinging(caller), cycles, atOnce });
    assertClean(result);
    const served = [...(await platform.registry.services())].filter(([, endpoints]) => endpoints.length > 0);
    assert.deepEqual(
      served.map(([contract, endpoints]) => [contract, endpoints.length]),
      [['account.v1.AccountService', 1]],
    );
    assert.equal(service.methods().length, 3);
    return result;
  } finally {
    await platform.stop();
  }
}
