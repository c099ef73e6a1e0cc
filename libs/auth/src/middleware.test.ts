import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { context as otel } from '@opentelemetry/api';
import { currentCall, runInCall, withCall, type Call } from '@talaria/context';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { AuthServiceDefinition } from '@talaria/contracts/auth/v1/auth';
import { HealthDefinition } from '@talaria/contracts/health/v1/health';
import { WebhookServiceDefinition } from '@talaria/contracts/webhook/v1/webhook';
import { createConnector, createServer, inprocTransport, Metadata, nextIn, staticResolver, type ClientMiddleware, type Connector, type ServerMiddleware } from '@talaria/rpc';
import { accessRules } from './access-rules.ts';
import { authClientMiddleware } from './client-middleware.ts';
import { signAccessToken, signPassport } from './customer-tokens.ts';
import { CALLER_KEY, PASSPORT_KEY, stripPrivateMetadata } from './names.ts';
import { authServerMiddleware } from './server-middleware.ts';
import { serviceTokens } from './service-tokens.ts';
import { actors, forge, peter, seconds, unsigned, type Actors } from './testing/actors.ts';
import { tokenVerifier } from './verifier.ts';

const code = (expected: string) => ({ code: expected });

describe('authServerMiddleware and authClientMiddleware', () => {
  let all: Actors;
  let passport: string;
  let seen: Call | undefined;
  let stop: () => Promise<void>;
  let connector: Connector;

  const send = (entries: Record<string, string>): { metadata: Metadata } => ({ metadata: Metadata(entries) });
  const client = (...middleware: ClientMiddleware[]) => ({
    accounts: connector.client(AccountServiceDefinition, { middleware }),
    auth: connector.client(AuthServiceDefinition, { middleware }),
    webhooks: connector.client(WebhookServiceDefinition, { middleware }),
    health: connector.client(HealthDefinition, { middleware }),
  });

  before(async () => {
    all = await actors();
    passport = await signPassport(all.tokenKey, { principal: peter, issuedAt: seconds(), expiresAt: seconds() + 300, id: 'p' });
    const rules = accessRules({ exempt: ['grpc.health.v1.Health'] });
    for (const definition of [AccountServiceDefinition, AuthServiceDefinition, WebhookServiceDefinition]) rules.add(definition);
    const saw = <T>(answer: T): Promise<T> => ((seen = currentCall()), Promise.resolve(answer));
    const never = (): Promise<never> => assert.fail('not called here');
    const auth = authServerMiddleware({ verifier: tokenVerifier(all.keys), rules });
    const leftOver: ServerMiddleware = (call, context) => nextIn(withCall(otel.active(), { principal: { ...peter, id: 'left over' }, caller: { service: 'left over', edge: false } }), call, call.request, context);
    const transports = [inprocTransport()];
    const server = createServer({ transports, middleware: [leftOver, auth] });
    server.add(AccountServiceDefinition, { createAccount: never, getAccount: () => saw({ account: { id: 'acc_1' } }), listAccounts: never });
    server.add(AuthServiceDefinition, { issueToken: never, exchangeToken: () => saw({ passport: 'p' }), getKeys: () => saw({ jwks: '{}' }), whoAmI: never });
    server.add(WebhookServiceDefinition, new Proxy({}, { get: () => () => saw({}) }) as never);
    server.add(HealthDefinition, {
      check: () => saw({}),
      list: never,
      async *watch() {
        for (let step = 0; step < 2; step++) {
          seen = currentCall();
          yield {};
        }
      },
    } as never);
    const address = await server.listen('inproc://auth');
    const resolver = staticResolver(Object.fromEntries(server.contracts().map((contract) => [contract, [address]])));
    connector = createConnector({ resolver, transports, picker: () => ({ pick: ([first]) => first as NonNullable<typeof first> }) });
    stop = async () => {
      await connector.close();
      await server.drain(1_000);
    };
  });
  after(() => stop());

  it('carries caller and principal from the client to the handler', async () => {
    const { accounts } = client(authClientMiddleware({ tokens: serviceTokens(all.gateway, { edge: true }) }));
    const { account } = await runInCall({ passport }, () => accounts.getAccount({ id: 'acc_1' }));
    assert.equal(account?.id, 'acc_1');
    assert.deepEqual(seen?.principal, peter);
    assert.deepEqual(seen?.caller, { service: 'api.gateway', edge: true });
    assert.equal(seen?.passport, passport);
  });

  it('replaces a caller token that stands in the metadata, and lets the ambient passport win', async () => {
    const { accounts } = client(authClientMiddleware({ tokens: serviceTokens(all.account) }));
    const options = send({ [CALLER_KEY]: await serviceTokens(all.gateway).token(), [PASSPORT_KEY]: 'other' });
    await runInCall({ passport }, () => accounts.getAccount({ id: 'acc_1' }, options));
    assert.equal(seen?.caller?.service, 'service.account');
    await accounts.getAccount({ id: 'acc_1' }, send({ [PASSPORT_KEY]: passport }));
    assert.equal(seen?.principal?.id, peter.id);
    assert.equal(options.metadata.get(PASSPORT_KEY), 'other', 'what the caller gave is not changed');
  });

  it('refuses calls that lack what the rule asks for, before the handler runs', async () => {
    const { accounts, auth, webhooks } = client();
    const caller = await serviceTokens(all.account).token();
    const edge = await serviceTokens(all.gateway, { edge: true }).token();
    const weak = await forge(all.tokenKey, { scope: 'webhooks:read' });
    const get = (entries: Record<string, string>): Promise<unknown> => accounts.getAccount({ id: 'x' }, send(entries));
    seen = undefined;
    await assert.rejects(get({}), code('unauthorized.caller'));
    await assert.rejects(get({ [PASSPORT_KEY]: passport }), code('unauthorized.caller'));
    await assert.rejects(get({ [CALLER_KEY]: caller }), code('unauthorized.principal'));
    await assert.rejects(get({ [CALLER_KEY]: caller, [PASSPORT_KEY]: weak }), code('forbidden.scope'));
    await assert.rejects(auth.exchangeToken({ accessToken: 'x' }, send({})), code('unauthorized.caller'));
    const someMethod = Object.keys(webhooks)[0] as keyof typeof webhooks;
    await assert.rejects((webhooks[someMethod] as (request: object, options: object) => Promise<unknown>)({}, send({ [CALLER_KEY]: edge, [PASSPORT_KEY]: passport })), code('forbidden.caller'));
    assert.equal(seen, undefined);
  });

  it('refuses tokens that are forged, expired, of another kind or malformed', async () => {
    const { accounts } = client();
    const caller = await serviceTokens(all.account).token();
    const said = { principal: peter, issuedAt: seconds(), expiresAt: seconds() + 300, id: 'a' };
    const none = unsigned({ alg: 'none', typ: 'passport+jwt' }, { iss: 'talaria', aud: 'talaria', sub: 'user_peter', client_id: 'c', scope: 'accounts:read', exp: seconds() + 60 });
    const get = (entries: Record<string, string>): Promise<unknown> => accounts.getAccount({ id: 'x' }, send(entries));
    seen = undefined;
    for (const bad of [none, 'x', '', caller, await forge(all.account), await signAccessToken(all.tokenKey, said)]) {
      await assert.rejects(get({ [CALLER_KEY]: caller, [PASSPORT_KEY]: bad }), code('unauthorized.invalid_token'));
    }
    await assert.rejects(get({ [CALLER_KEY]: caller, [PASSPORT_KEY]: await forge(all.tokenKey, { exp: seconds() - 60 }) }), code('unauthorized.expired_token'));
    for (const bad of [none, 'x', passport, `${caller},${caller}`]) await assert.rejects(get({ [CALLER_KEY]: bad, [PASSPORT_KEY]: passport }), code('unauthorized.invalid_token'));
    assert.equal(seen, undefined);
  });

  it('lets anyone in where the rule says so: a bad token is as none, a good one counts', async () => {
    const { auth } = client();
    await auth.getKeys({}, send({ [CALLER_KEY]: 'bad', [PASSPORT_KEY]: 'bad' }));
    assert.deepEqual([seen?.caller, seen?.principal, seen?.passport], [undefined, undefined, undefined]);
    await auth.getKeys({}, send({ [CALLER_KEY]: await serviceTokens(all.account).token() }));
    assert.equal(seen?.caller?.service, 'service.account');
  });

  it('leaves exempt contracts alone, and trusts nothing that was there before', async () => {
    const { health } = client();
    await health.check({}, send({ [CALLER_KEY]: 'bad' }));
    assert.deepEqual([seen?.caller, seen?.principal], [undefined, undefined]);
    seen = undefined;
    for await (const _ of health.watch({})) assert.equal((seen as Call | undefined)?.principal, undefined);
  });
});

describe('stripPrivateMetadata', () => {
  it('takes away what only services may say', () => {
    const given = Metadata({ 'X-Talaria-Caller': 'a', 'x-talaria-passport': 'b', 'x-talaria-anything': 'c', authorization: 'd', 'x-request-id': 'e' });
    assert.deepEqual([...stripPrivateMetadata(given)].map(([key]) => key), ['authorization', 'x-request-id']);
    assert.equal(given.get('x-talaria-passport'), 'b');
  });
});
