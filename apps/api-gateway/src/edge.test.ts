import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { generateTokenKey, signAccessToken, staticKeys, tokenKeyFrom, type KeySource, type TokenKey } from '@talaria/auth';
import { AccountServiceDefinition, type Account } from '@talaria/contracts/account/v1/account';
import { AuthServiceDefinition } from '@talaria/contracts/auth/v1/auth';
import { currentCall, notFound, principal, unauthorized, type CallContext, type Service } from '@talaria/service';
import { createPlatform, eventually, type TestPlatform } from '@talaria/testing';
import { httpEdge, type HttpEdge } from './edge.ts';
import { settings } from './settings.ts';

const peter = { id: 'user_peter', clientId: 'client_1', scopes: ['accounts:read', 'accounts:write'] };
const seconds = (): number => Math.floor(Date.now() / 1000);

/** A gateway, and stand-ins for the services behind it, as real services over sockets. */
describe('api-gateway', () => {
  let platform: TestPlatform;
  let auth: Service;
  let gateway: Service;
  let edge: HttpEdge;
  let customerKey: TokenKey;
  let onGet: (id: string, context: CallContext) => Promise<Account>;

  const token = (seconds_ = 3600, key = customerKey, scopes = peter.scopes): Promise<string> =>
    signAccessToken(key, { principal: { ...peter, scopes }, issuedAt: seconds() - 10, expiresAt: seconds() + seconds_, id: `token_${String(Math.random())}` });
  const get = async (path: string, authorization?: string): Promise<{ status: number; body: Record<string, unknown> }> => {
    const response = await fetch(`${edge.url ?? ''}${path}`, authorization === undefined ? {} : { headers: { authorization } });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  before(async () => {
    platform = await createPlatform({ listen: 'h2c' });
    const pair = await generateTokenKey();
    customerKey = await tokenKeyFrom(pair.privateJwk);
    const customerKeys = await staticKeys({ keys: [pair.publicJwk] });
    const keys: KeySource = {
      find: async (kid, options) => (await customerKeys.find(kid, options)) ?? platform.keys.find(kid, options),
      keys: () => [...customerKeys.keys(), ...platform.keys.keys()],
    };

    auth = platform.service({ name: 'service.auth' });
    auth.add(AuthServiceDefinition, {
      exchangeToken: async () => ({ passport: await platform.passport(peter), expiresIn: 240 }),
      issueToken: ({ clientId, clientSecret }) => {
        if (clientId !== 'a client' || clientSecret !== 's:1') throw unauthorized('invalid_client', 'There is no such client.');
        return Promise.resolve({ accessToken: 'token', tokenType: 'Bearer', expiresIn: 60, scope: '' });
      },
      getKeys: () => Promise.resolve({ jwks: '{"keys":[]}' }),
      whoAmI: () => Promise.resolve({ authenticated: true, clientId: principal().clientId, userId: principal().id, scopes: [...principal().scopes], caller: currentCall().caller?.service ?? '' }),
    });
    const accounts = platform.service({ name: 'service.account' });
    accounts.add(AccountServiceDefinition, {
      createAccount: ({ description }) => Promise.resolve({ account: { id: 'acc_1', description, created: new Date(0) } }),
      getAccount: async ({ id }, context) => ({ account: await onGet(id, context) }),
      listAccounts: () => Promise.resolve({ accounts: [] }),
    });
    gateway = platform.service({ name: 'api.gateway', edge: true, platform: { env: { PORT: '0', TALARIA_READY_CONTRACTS: 'account.v1.AccountService,auth.v1.AuthService' }, keys }, capabilities: [{ name: 'http', checkers: [], start: () => edge.start(), stop: () => edge.stop() }] });
    edge = httpEdge(gateway, gateway.settings(settings));
    await gateway.start();
  });
  after(() => platform.stop());

  it('is alive, and not ready before what it needs is there', async () => {
    assert.equal((await get('/healthz')).status, 200);
    assert.equal((await get('/readyz')).status, 503);
    await platform.start();
    await eventually(async () => (await get('/readyz')).status === 200);
  });

  it('swaps a token for a passport, and says who calls', async () => {
    const { status, body } = await get('/ping/whoami', `Bearer ${await token()}`);
    assert.equal(status, 200);
    assert.deepEqual(body, { authenticated: true, client_id: 'client_1', user_id: 'user_peter', scopes: peter.scopes, caller: 'api.gateway' });
  });

  it('refuses what is no token of ours', async () => {
    const forger = await tokenKeyFrom((await generateTokenKey()).privateJwk);
    const [header, claims, signature] = (await token()).split('.');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${claims ?? ''}.`;
    const tokens = { expired: await token(-5), wrongKey: await token(3600, forger), none, changed: `${header ?? ''}.${claims ?? ''}x.${signature ?? ''}`, garbage: 'x', passport: await platform.passport(peter) };
    for (const [what, bad] of Object.entries(tokens)) {
      const { status, body } = await get('/ping/whoami', `Bearer ${bad}`);
      assert.deepEqual([status, String(body['code']).split('.')[0]], [401, 'unauthorized'], what);
    }
    assert.equal((await get('/ping/whoami')).status, 401);
  });

  it('passes answers and errors of services on', async () => {
    onGet = (id) => (id === 'acc_1' ? Promise.resolve({ id, description: 'Peter Pan', created: new Date(0) }) : Promise.reject(notFound('account', 'There is no such account.')));
    const authorization = `Bearer ${await token()}`;
    assert.deepEqual((await get('/accounts/acc_1', authorization)).body, { account: { id: 'acc_1', description: 'Peter Pan', created: '1970-01-01T00:00:00Z' } });
    const missing = await get('/accounts/acc_2', authorization);
    assert.deepEqual([missing.status, missing.body['code']], [404, 'not_found.account']);
    assert.match(String(missing.body['trace_id']), /^[0-9a-f]{32}$/);
    const invalid = await get('/accounts?limit=-1', authorization);
    assert.deepEqual([invalid.status, (invalid.body['violations'] as { field: string }[])[0]?.field], [400, 'limit']);
  });

  it('gives clients tokens by either way of RFC 6749', async () => {
    const ask = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
      fetch(`${edge.url ?? ''}/oauth2/token`, { method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers } });
    const basic = `Basic ${Buffer.from('a+client:s%3A1').toString('base64')}`;
    const byHeader = await ask('grant_type=client_credentials', { authorization: basic });
    assert.deepEqual(await byHeader.json(), { access_token: 'token', token_type: 'Bearer', expires_in: 60, scope: '' });
    assert.equal((await ask('grant_type=client_credentials&client_id=a+client&client_secret=s%3A1')).status, 200);
    const wrong = await ask('grant_type=client_credentials&client_id=other');
    assert.deepEqual([wrong.status, ((await wrong.json()) as { error: string }).error], [401, 'invalid_client']);
    assert.match(wrong.headers.get('www-authenticate') ?? '', /^Basic /);
  });

  it('ends a handler two hops away when the client hangs up', async () => {
    const arrived = Promise.withResolvers<AbortSignal>();
    onGet = (_id, { signal }) => (arrived.resolve(signal), new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))));
    const hangUp = new AbortController();
    const hanging = fetch(`${edge.url ?? ''}/accounts/acc_1`, { signal: hangUp.signal, headers: { authorization: `Bearer ${await token()}` } });
    const signal = await arrived.promise;
    hangUp.abort();
    await assert.rejects(hanging);
    if (!signal.aborted) await once(signal, 'abort');
  });

  it('is 503 without auth-service, for tokens it has not seen, and stays ready', async () => {
    await auth.stop();
    const { status, body } = await get('/ping/whoami', `Bearer ${await token()}`);
    assert.deepEqual([status, String(body['code']).split('.')[0]], [503, 'unavailable']);
    assert.equal((await get('/readyz')).status, 200);
  });

  it('says what to do about a taken port', async () => {
    const port = new URL(edge.url ?? '').port;
    const second = platform.service({ name: 'api.gateway', edge: true, platform: { env: { PORT: port } } });
    await assert.rejects(httpEdge(second, second.settings(settings)).start(), new RegExp(`Port ${port} is taken: set PORT`));
    await second.stop();
  });
});
