import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { generateTokenKey, signAccessToken, staticKeys, tokenKeyFrom, type KeySource, type TokenKey } from '@talaria/auth';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { AuthServiceDefinition } from '@talaria/contracts/auth/v1/auth';
import { GatewayServiceDefinition } from '@talaria/contracts/talaria/gateway/v1/gateway';
import { TransactionServiceDefinition } from '@talaria/contracts/transaction/v1/transaction';
import { type GatewayRule } from '@talaria/http';
import { createPlatform, eventually, type TestPlatform } from '@talaria/testing';
import { httpEdge, type HttpEdge } from './edge.ts';
import { gatewayHandlers } from './handlers/gateway-handlers.ts';
import { settings } from './settings.ts';

const PEOPLE = Array.from({ length: 40 }, (_, index) => `user_${String(index)}`);
const canary = (share: number): GatewayRule => ({ id: 'c', match: { service: 'service.account' }, share, action: { version: '2.0.0' } });

/** A gateway, two versions of a service, and a service that calls it, over sockets. */
describe('rules of versions', () => {
  let platform: TestPlatform;
  let edge: HttpEdge;
  let key: TokenKey;
  let rules: readonly GatewayRule[] = [];
  const tokens = new Map<string, string>();

  const ask = async (path: string, who: string): Promise<string> => {
    const seconds = Math.floor(Date.now() / 1000);
    const principal = { id: who, clientId: 'client_1', scopes: ['accounts:read', 'transactions:read'] };
    const token = tokens.get(who) ?? (await signAccessToken(key, { principal, issuedAt: seconds - 10, expiresAt: seconds + 3600, id: `token_${who}` }));
    tokens.set(who, token);
    const response = await fetch(`${edge.url ?? ''}${path}`, { headers: { authorization: `Bearer ${token}` } });
    const body = (await response.json()) as { account?: { description: string }; transaction?: { description: string } };
    assert.equal(response.status, 200, JSON.stringify(body));
    return body.account?.description ?? body.transaction?.description ?? '';
  };
  /** The version that each of the people gets. */
  const versions = async (path: string): Promise<Map<string, string>> => new Map(await Promise.all(PEOPLE.map(async (who) => [who, await ask(path, who)] as const)));

  before(async () => {
    platform = await createPlatform({ listen: 'h2c' });
    const pair = await generateTokenKey();
    key = await tokenKeyFrom(pair.privateJwk);
    const customers = await staticKeys({ keys: [pair.publicJwk] });
    const keys: KeySource = { find: async (kid, options) => (await customers.find(kid, options)) ?? platform.keys.find(kid, options), keys: () => [...customers.keys(), ...platform.keys.keys()] };
    const subject = (token: string): string => (JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { sub: string }).sub;
    const none = async (): Promise<never> => { throw new Error('not here'); };
    platform.service({ name: 'service.auth' }).add(AuthServiceDefinition, {
      exchangeToken: async ({ accessToken }) => ({ passport: await platform.passport({ id: subject(accessToken), clientId: 'client_1', scopes: ['accounts:read', 'transactions:read'] }), expiresIn: 240 }),
      issueToken: none,
      getKeys: none,
      whoAmI: none,
    });
    for (const version of ['1.0.0', '2.0.0']) {
      const accounts = platform.service({ name: 'service.account', version });
      accounts.add(AccountServiceDefinition, { createAccount: none, listAccounts: none, getAccount: async ({ id }) => ({ account: { id, description: version, created: new Date(0) } }) });
    }
    const front = platform.service({ name: 'service.transaction', version: '7' });
    const client = front.client(AccountServiceDefinition);
    front.add(TransactionServiceDefinition, {
      recordTransaction: none,
      listTransactions: none,
      getTransaction: async ({ id }) => ({ transaction: { id, description: (await client.getAccount({ id: 'acc_1' })).account?.description ?? '' } }),
    });
    const env = { PORT: '0', TALARIA_READY_CONTRACTS: 'account.v1.AccountService,auth.v1.AuthService,transaction.v1.TransactionService,talaria.gateway.v1.GatewayService' };
    const gateway = platform.service({ name: 'api.gateway', edge: true, platform: { env, keys }, capabilities: [{ name: 'http', checkers: [], start: () => edge.start(), stop: () => edge.stop() }] });
    edge = httpEdge(gateway, gateway.settings(settings), { rules: { get: () => rules, onChange: () => () => {} } });
    gateway.add(GatewayServiceDefinition, gatewayHandlers(gateway.instance, () => edge.ruleStats()));
    await platform.start();
    await eventually(async () => (await fetch(`${edge.url ?? ''}/readyz`)).status === 200);
  });
  after(() => platform.stop());

  it('give each principal one version, at the gateway and behind it, and count by version', async () => {
    rules = [canary(0.5)];
    const direct = await versions('/accounts/acc_1');
    const behind = await versions('/transactions/tx_1');
    assert.deepEqual([...behind], [...direct]);
    const on2 = [...direct.values()].filter((version) => version === '2.0.0').length;
    assert.ok(on2 > 0 && on2 < PEOPLE.length, String(on2));

    const { instance, rules: counted } = await platform.client(GatewayServiceDefinition).getRuleStats({ rule: 'c' });
    assert.match(instance, /./);
    const rows = counted[0]?.versions.map(({ service, version, inShare, calls, errors, latency }) => [service, version, inShare, Number(calls), Number(errors), latency?.buckets.reduce((sum, { count }) => sum + Number(count), 0)]);
    const rest = PEOPLE.length - on2;
    assert.deepEqual(rows?.sort(), [
      ['service.account', '1.0.0', false, rest, 0, rest],
      ['service.account', '2.0.0', true, on2, 0, on2],
      ['service.transaction', '7', false, rest, 0, rest],
      ['service.transaction', '7', true, on2, 0, on2],
    ]);
    assert.deepEqual((await platform.client(GatewayServiceDefinition).getRuleStats({ rule: 'other' })).rules, []);
  });

  it('change at once', async () => {
    rules = [canary(1)];
    assert.deepEqual([...new Set((await versions('/accounts/acc_1')).values())], ['2.0.0']);
    rules = [canary(0)];
    assert.deepEqual([...new Set((await versions('/transactions/tx_1')).values())], ['1.0.0']);
    rules = [{ ...canary(1), action: { version: '3.0.0' } }];
    assert.deepEqual([...new Set((await versions('/accounts/acc_1')).values())].sort(), ['1.0.0', '2.0.0'], 'nobody runs it');
  });
});
