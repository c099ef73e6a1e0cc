import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { accessRules } from '@talaria/auth';
import { silentLogger } from '@talaria/base';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { AuthServiceDefinition } from '@talaria/contracts/auth/v1/auth';
import { TransactionServiceDefinition } from '@talaria/contracts/transaction/v1/transaction';
import { HealthDefinition } from '@talaria/contracts/health/v1/health';
import { hasCode } from '@talaria/errors';
import { balancedPicker } from '@talaria/resilience';
import { createConnector, grpcTransport, staticResolver, type Connector } from '@talaria/rpc';
import { createPlatform, eventually, type TestPlatform } from '@talaria/testing';
import { createServed } from './served.ts';
import { pingDefinition } from './testing/cycles.ts';
import type { Service } from './types.ts';
import { createValidation } from './validation/middleware.ts';

const as = { id: 'user_1', scopes: ['accounts:read', 'transactions:read'] };
const CONTRACT = 'account.v1.AccountService';
const refuse = (): never => {
  throw new Error('not part of this test');
};
const accounts = (listAccounts: () => Promise<object>) => ({ createAccount: refuse, getAccount: refuse, listAccounts: listAccounts as never });
const transactions = { recordTransaction: refuse, getTransaction: refuse, listTransactions: async () => ({ transactions: [] }) };

/** A client that has not heard that the contract is gone. */
function late(service: Service): Connector {
  const address = [service.address ?? ''];
  return createConnector({ resolver: staticResolver({ [CONTRACT]: address, 'grpc.health.v1.Health': address }), transports: [grpcTransport()], picker: () => balancedPicker() });
}

describe('removing a contract from a running service', () => {
  test('leaves the registry, is still served to those who have not heard, drains, and is UNIMPLEMENTED then; others are untouched', async () => {
    const platform = await createPlatform({ listen: 'h2c' });
    const answer = Promise.withResolvers<void>();
    let arrived = 0;
    const service = platform.service({ name: 'service.all' }).add(TransactionServiceDefinition, transactions);
    service.add(
      AccountServiceDefinition,
      accounts(async () => {
        if (arrived++ === 0) await answer.promise;
        return { accounts: [] };
      }),
    );
    await platform.start();
    const connector = late(service);
    const events: string[] = [];
    const caller = connector.client(AccountServiceDefinition);
    // Connected before, so that it need not do so in the pause.
    await assert.rejects(caller.listAccounts({}), (error) => hasCode(error, 'unauthorized'));
    platform.registry.resolve(CONTRACT).onChange(() => {
      events.push('left');
      // Refused by its rule, so answered by the contract all the same.
      caller.listAccounts({}).catch((error: unknown) => events.push(hasCode(error, 'unauthorized') ? 'answered' : String(error)));
    });
    const inFlight = platform.client(AccountServiceDefinition, { as }).listAccounts({});
    await eventually(() => arrived === 1);
    const removing = service.remove(AccountServiceDefinition).then(() => events.push('removed'));
    const again = service.remove(AccountServiceDefinition);
    assert.equal(service.method(`${CONTRACT}/ListAccounts`), undefined);
    await assert.rejects(connector.client(HealthDefinition).check({ service: CONTRACT }), /not served here/);
    await eventually(() => caller.listAccounts({}).then(() => false, (error: unknown) => hasCode(error, 'unavailable.not_sent')));
    await platform.client(TransactionServiceDefinition, { as }).listTransactions({ accountId: 'acc_1' });
    events.push('draining');
    answer.resolve();
    await inFlight;
    await Promise.all([removing, again]);
    assert.deepEqual(events, ['left', 'answered', 'draining', 'removed']);
    await assert.rejects(caller.listAccounts({}), (error) => hasCode(error, 'unimplemented.method'));
    await platform.client(TransactionServiceDefinition, { as }).listTransactions({ accountId: 'acc_1' });
    await connector.close();
    await platform.stop();
  });

  test('it may be added again, while it drains too: new calls go to the new handlers', async () => {
    const platform = await createPlatform();
    const answer = Promise.withResolvers<void>();
    let arrived = false;
    const service = platform.service({ name: 'service.account' });
    service.add(
      AccountServiceDefinition,
      accounts(async () => {
        arrived = true;
        await answer.promise;
        return { accounts: [{ id: 'old' }] };
      }),
    );
    await platform.start();
    const client = platform.client(AccountServiceDefinition, { as });
    const old = client.listAccounts({});
    await eventually(() => arrived);
    const removing = service.remove(AccountServiceDefinition);
    service.add(
      AccountServiceDefinition,
      accounts(async () => ({ accounts: [{ id: 'new' }] })),
    );
    const listed = async (): Promise<string | undefined> => (await client.listAccounts({})).accounts[0]?.id;
    assert.equal(await listed(), 'new');
    answer.resolve();
    assert.equal((await old).accounts[0]?.id, 'old');
    await removing;
    assert.equal(await listed(), 'new');
    assert.equal(platform.registry.resolve(CONTRACT).endpoints?.length, 1);
    await service.remove(AccountServiceDefinition);
    assert.equal(platform.registry.resolve(CONTRACT).endpoints?.length, 0);
    await service.remove(AccountServiceDefinition);
    await platform.stop();
  });

  test('its access rules go when it has drained, or when it is added again: what comes without rules is closed', async () => {
    const platform = await createPlatform();
    const service = platform.service({ name: 'service.auth' });
    const rules = accessRules();
    const served = createServed({ rules, health: service.health, facts: () => assert.fail('nobody asks'), validation: createValidation(), log: silentLogger });
    const path = '/auth.v1.AuthService/GetKeys';
    const denied = rules.ruleOf(path);
    const handlers = Object.fromEntries(Object.keys(AuthServiceDefinition.methods).map((method) => [method, refuse]));
    const { descriptor: _, ...bare } = AuthServiceDefinition;
    served.add(AuthServiceDefinition, handlers, []);
    const removing = served.remove(AuthServiceDefinition);
    assert.deepEqual(rules.ruleOf(path), { kind: 'anyone' }, 'it is still served to those who have not heard');
    await removing;
    assert.deepEqual(rules.ruleOf(path), denied);
    served.add(AuthServiceDefinition, handlers, []);
    const again = served.remove(AuthServiceDefinition);
    served.add(bare, handlers, []);
    assert.deepEqual(rules.ruleOf(path), denied);
    const last = served.remove(bare);
    served.add(AuthServiceDefinition, handlers, []);
    await Promise.all([again, last]);
    assert.deepEqual(rules.ruleOf(path), { kind: 'anyone' }, 'it is served again');
    await platform.stop();
  });

  test('whatever the order of adds and removes in one turn, the last one holds', async () => {
    const platform = await createPlatform();
    const service = platform.service({ name: 'service.account' });
    await platform.start();
    const client = platform.client(AccountServiceDefinition, { as });
    for (let round = 0; round < 10; round++) {
      const id = `acc_${round}`;
      const add = (which: string): Service =>
        service.add(
          AccountServiceDefinition,
          accounts(async () => ({ accounts: [{ id: which }] })),
        );
      add('first');
      const one = service.remove(AccountServiceDefinition);
      add('second');
      const two = service.remove(AccountServiceDefinition);
      add(id);
      assert.throws(() => add('twice'), /served already/);
      await Promise.all([one, two]);
      assert.equal((await client.listAccounts({})).accounts[0]?.id, id);
      await service.remove(AccountServiceDefinition);
    }
    assert.equal(platform.registry.resolve(CONTRACT).endpoints?.length, 0);
    await platform.stop();
  });

  test('works before the start, while it is under way, and while the service stops', async () => {
    const platform = await createPlatform();
    const ping = pingDefinition('Ping');
    const pong = { ping: async () => ({}) };
    const services = Array.from({ length: 6 }, (_, index) => platform.service({ name: `service.account${index}` }));
    await Promise.all(
      services.map(async (service, index) => {
        service.add(ping, pong as never);
        if (index === 0) await service.remove(ping);
        const starting = service.start();
        for (let turn = 0; turn < index; turn++) await new Promise(setImmediate);
        if (index > 0) await service.remove(ping);
        await starting.catch(() => {});
        const stopping = service.stop();
        await service.remove(ping);
        await stopping;
      }),
    );
    assert.equal(platform.registry.resolve('cycles.v1.Ping').endpoints?.length, 0);
    await platform.stop();
  });

  test('a service that waits for the registry starts without a contract that was removed meanwhile', async () => {
    const platform: TestPlatform = await createPlatform();
    const { registry } = platform;
    const asked = Promise.withResolvers<void>();
    // A registry that is away: what is published stays pending.
    const away = Object.assign(Object.create(registry) as typeof registry, {
      publish: () => {
        asked.resolve();
        return { ready: new Promise<void>(() => {}), close() {} };
      },
    });
    const service = platform.service({ name: 'service.account', platform: { registry: away } }).add(AccountServiceDefinition, accounts(async () => ({})));
    const starting = service.start();
    await asked.promise;
    await service.remove(AccountServiceDefinition);
    await starting;
    await platform.stop();
  });
});
