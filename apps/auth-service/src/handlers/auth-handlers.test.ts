import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, it, test } from 'node:test';
import { generateServiceKey, generateTokenKey, PASSPORT_KEY, signAccessToken, tokenKeyFrom, tokenVerifier } from '@talaria/auth';
import { AuthServiceDefinition } from '@talaria/contracts/auth/v1/auth';
import { runInCall } from '@talaria/service';
import { call, testDatabase, type TestDatabase } from '@talaria/testing';
import { hashSecret } from '../logic/secret-hash.ts';
import { startAuth, type AuthPlatform } from '../testing/auth-platform.ts';
import { type AuthLogic } from '../logic/auth-logic.ts';
import { authHandlers } from './auth-handlers.ts';

const GRANT = { grantType: 'client_credentials', clientId: 'dev', clientSecret: 'dev-secret', scope: '' };
const ALL = 'accounts:read accounts:write transactions:read transactions:write webhooks:read webhooks:write';

test('says who calls, to whoever calls for somebody', async () => {
  const { whoAmI } = authHandlers({} as AuthLogic);
  const principal = { id: 'user_ann', clientId: 'shop', scopes: ['accounts:read'] };
  const who = { authenticated: true, clientId: 'shop', userId: 'user_ann', scopes: ['accounts:read'] };
  assert.deepEqual(await call(whoAmI, {}, { principal, caller: 'api.gateway' }), { ...who, caller: 'api.gateway' });
  assert.deepEqual(await call(whoAmI, {}, { principal }), { ...who, caller: '' });
  await assert.rejects(call(whoAmI, {}), { code: 'unauthorized.principal' });
});

describe('auth.v1.AuthService', { timeout: 120_000 }, () => {
  let database: TestDatabase;
  let service: AuthPlatform;
  before(async () => {
    database = await testDatabase();
    service = await startAuth(database.url);
  });
  after(async () => {
    await service[Symbol.asyncDispose]();
    await database.close();
  });

  it('takes a client from its secret to an answered call', async () => {
    const issued = await service.auth.issueToken(GRANT);
    assert.deepEqual({ ...issued, accessToken: '' }, { accessToken: '', tokenType: 'Bearer', expiresIn: 3600, scope: ALL });
    const { passport, expiresIn } = await service.auth.exchangeToken({ accessToken: issued.accessToken });
    assert.equal(expiresIn, 300);
    const who = await runInCall({ passport }, () => service.auth.whoAmI({}));
    assert.deepEqual(who, { authenticated: true, clientId: 'dev', userId: 'user_dev', scopes: ALL.split(' '), caller: 'api.gateway' });
    const other = await service.auth.issueToken({ ...GRANT, clientId: 'dev2', clientSecret: 'dev2-secret' });
    const { principal } = await tokenVerifier(service.keys).accessToken(other.accessToken);
    assert.deepEqual(principal, { id: 'user_dev2', clientId: 'dev2', scopes: ALL.split(' ') });
  });

  it('grants the scopes that are asked for, and no more', async () => {
    const { accessToken, scope } = await service.auth.issueToken({ ...GRANT, scope: ' accounts:read  webhooks:read accounts:read' });
    assert.equal(scope, 'accounts:read webhooks:read');
    const { passport } = await service.auth.exchangeToken({ accessToken });
    assert.deepEqual((await tokenVerifier(service.keys).passport(passport)).principal.scopes, ['accounts:read', 'webhooks:read']);
  });

  it('refuses what RFC 6749 refuses, with its codes', async () => {
    for (const [change, code] of [
      [{ grantType: '' }, 'bad_request.invalid_request'],
      [{ grantType: 'password' }, 'bad_request.unsupported_grant_type'],
      [{ clientSecret: 'wrong' }, 'unauthorized.invalid_client'],
      [{ clientSecret: '' }, 'unauthorized.invalid_client'],
      [{ clientSecret: 'dev2-secret' }, 'unauthorized.invalid_client'],
      [{ clientId: '' }, 'unauthorized.invalid_client'],
      [{ clientId: 'ghost' }, 'unauthorized.invalid_client'],
      [{ clientId: "dev' or '1'='1" }, 'unauthorized.invalid_client'],
      [{ clientId: 'd\0ev' }, 'bad_request.invalid_param'],
      [{ scope: 'accounts:read admin' }, 'bad_request.invalid_scope'],
    ] as const) {
      await assert.rejects(service.auth.issueToken({ ...GRANT, ...change }), { code }, JSON.stringify(change));
    }
  });

  it('exchanges no token but a good access token, and only for services', async () => {
    const { accessToken } = await service.auth.issueToken(GRANT);
    const { passport } = await service.auth.exchangeToken({ accessToken });
    const [head, body] = accessToken.split('.') as [string, string];
    const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
    const now = Math.floor(Date.now() / 1000);
    const said = { principal: { id: 'user_dev', clientId: 'dev', scopes: [] }, issuedAt: now, expiresAt: now + 60, id: 't' };
    const strange = await signAccessToken(await tokenKeyFrom((await generateTokenKey()).privateJwk), said);
    for (const bad of ['x', passport, `${head}.${body}.`, `${none}.${body}.`, strange]) {
      await assert.rejects(service.auth.exchangeToken({ accessToken: bad }), { code: 'unauthorized.invalid_token' });
    }
    const row = await service.db.db.selectFrom('signing_keys').select('private_jwk').executeTakeFirstOrThrow();
    const key = await tokenKeyFrom(row.private_jwk);
    const old = await signAccessToken(key, { ...said, expiresAt: now - 60 });
    await assert.rejects(service.auth.exchangeToken({ accessToken: old }), { code: 'unauthorized.expired_token' });
    const short = await signAccessToken(key, { ...said, expiresAt: now + 20 });
    assert.ok((await service.auth.exchangeToken({ accessToken: short })).expiresIn <= 20, 'no passport outlives its token');
    const gone = await signAccessToken(key, { ...said, principal: { ...said.principal, clientId: 'deleted' } });
    await assert.rejects(service.auth.exchangeToken({ accessToken: gone }), { code: 'unauthorized.invalid_token' });
  });

  it('asks for the tokens that the contract asks for', async () => {
    await assert.rejects(service.auth.whoAmI({}), { code: 'unauthorized.principal' });
    const stranger = service.platform.client(AuthServiceDefinition, { caller: 'service.stranger' });
    await stranger.getKeys({});
    await assert.rejects(stranger.exchangeToken({ accessToken: 'x' }), { code: 'unauthorized.invalid_token' }, 'nobody knows its key');
    const forged = service.platform.client(AuthServiceDefinition, { as: 'user_dev', caller: 'api.gateway', edge: true });
    await assert.rejects(forged.whoAmI({}), { code: 'unauthorized.invalid_token' }, `${PASSPORT_KEY} is signed by a key that is not ours`);
  });

  it('publishes its keys and those of services as they are now, without secrets', async () => {
    const { jwks } = await service.auth.getKeys({});
    const { keys } = JSON.parse(jwks) as { keys: { kid: string; d?: string }[] };
    assert.deepEqual(keys.map(({ kid }) => kid.split('#')[0]), ['talaria', 'api.gateway', 'service.test']);
    assert.ok(!jwks.includes('"d"'));

    const { publicJwk } = await generateServiceKey('service.new');
    const before = JSON.parse(await readFile(service.serviceKeysFile, 'utf8')) as { keys: object[] };
    await writeFile(service.serviceKeysFile, JSON.stringify({ keys: [...before.keys, publicJwk] }));
    assert.ok((await service.auth.getKeys({})).jwks.includes(publicJwk.kid));
    assert.equal((await service.keys.find(publicJwk.kid))?.owner, 'service.new', 'and its own verification knows it');
  });

  it('knows stored clients by their secret, until they are deleted', async () => {
    const { db } = service.db;
    await db.insertInto('clients').values({ id: 'shop', secret_hash: await hashSecret('s3cret'), principal_id: 'user_shop', scopes: ['accounts:read', 'webhooks:read'] }).execute();
    const { accessToken, scope } = await service.auth.issueToken({ ...GRANT, clientId: 'shop', clientSecret: 's3cret' });
    assert.equal(scope, 'accounts:read webhooks:read');
    await db.updateTable('clients').set({ scopes: ['accounts:read'] }).where('id', '=', 'shop').execute();
    const { passport } = await service.auth.exchangeToken({ accessToken });
    assert.deepEqual((await tokenVerifier(service.keys).passport(passport)).principal, { id: 'user_shop', clientId: 'shop', scopes: ['accounts:read'] });
    await db.deleteFrom('clients').where('id', '=', 'shop').execute();
    await assert.rejects(service.auth.exchangeToken({ accessToken }), { code: 'unauthorized.invalid_token' });
  });

  it('has development clients only while the setting is there, whatever was before', async () => {
    const { accessToken } = await service.auth.issueToken(GRANT);
    await using strict = await startAuth(database.url, { dev: false });
    for (const id of ['dev', 'dev2']) await assert.rejects(strict.auth.issueToken({ ...GRANT, clientId: id, clientSecret: `${id}-secret` }), { code: 'unauthorized.invalid_client' });
    await assert.rejects(strict.auth.exchangeToken({ accessToken }), { code: 'unauthorized.invalid_token' });
  });

  it('signs with one key in all instances, which survives them', async () => {
    const fresh = await testDatabase();
    try {
      const instances = await Promise.all([startAuth(fresh.url), startAuth(fresh.url), startAuth(fresh.url)]);
      const [first] = instances;
      const issued = await Promise.all(instances.map(({ auth }) => auth.issueToken(GRANT)));
      const rows = await first.db.db.selectFrom('signing_keys').select('retired').execute();
      assert.deepEqual(rows, [{ retired: null }]);
      for (const { accessToken } of issued) assert.ok(await first.auth.exchangeToken({ accessToken }));
      await Promise.all(instances.map((instance) => instance[Symbol.asyncDispose]()));

      await using later = await startAuth(fresh.url);
      const { db } = later.db;
      for (const { accessToken } of issued) assert.ok(await later.auth.exchangeToken({ accessToken }));
      // A key is rotated by hand: what the old one has signed stays good, for as long as it may last.
      await db.updateTable('signing_keys').set({ retired: new Date() }).execute();
      await using rotated = await startAuth(fresh.url);
      const next = await rotated.auth.issueToken(GRANT);
      const kidOf = (token: string): unknown => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid;
      assert.notEqual(kidOf(next.accessToken), kidOf(issued[0]?.accessToken ?? ''));
      for (const { accessToken } of [...issued, next]) assert.ok(await rotated.auth.exchangeToken({ accessToken }));
      await db.updateTable('signing_keys').set({ retired: new Date(Date.now() - 3 * 3_600_000) }).where('retired', 'is not', null).execute();
      assert.equal((JSON.parse((await rotated.auth.getKeys({})).jwks) as { keys: { kid: string }[] }).keys.filter(({ kid }) => kid.startsWith('talaria#')).length, 1);
    } finally {
      await fresh.close();
    }
  });
});
