import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { systemClock, type Clock } from '@talaria/base';
import { hasCode } from '@talaria/errors';
import { signAccessToken, signPassport, tokenKeyFrom, generateTokenKey } from './customer-tokens.ts';
import { type KeySource } from './key-source.ts';
import { serviceTokens } from './service-tokens.ts';
import { actors, forge, peter, seconds, unsigned, type Actors } from './testing/actors.ts';
import { tokenVerifier, type Verifier } from './verifier.ts';

const invalid = (error: unknown): boolean => hasCode(error, 'unauthorized.invalid_token');
const expired = (error: unknown): boolean => hasCode(error, 'unauthorized.expired_token');

describe('tokenVerifier', () => {
  let all: Actors;
  let verifier: Verifier;
  const claims = (): { principal: typeof peter; issuedAt: number; expiresAt: number; id: string } => ({ principal: peter, issuedAt: seconds(), expiresAt: seconds() + 300, id: 'token_1' });

  before(async () => {
    all = await actors();
    verifier = tokenVerifier(all.keys);
  });

  it('tells from a service token who calls', async () => {
    assert.deepEqual(await verifier.serviceToken(await serviceTokens(all.account).token()), { service: 'service.account', edge: false });
    assert.deepEqual(await verifier.serviceToken(await serviceTokens(all.gateway, { edge: true }).token()), { service: 'api.gateway', edge: true });
  });

  it('knows without waiting who sent a token that it has verified, for as long as that is good', async () => {
    let now = Date.now();
    const clock: Clock = { ...systemClock, now: () => now };
    const patient = tokenVerifier(all.keys, { clock });
    const token = await serviceTokens(all.account, { clock }).token();
    assert.equal(patient.peek(token), undefined);
    await patient.serviceToken(token);
    assert.deepEqual(patient.peek(token), { service: 'service.account', edge: false });
    assert.equal(patient.peek(`${token}x`), undefined);
    now += 301_000;
    assert.equal(patient.peek(token), undefined);
  });

  it('tells from a passport and an access token on whose behalf', async () => {
    const said = claims();
    const expected = { principal: peter, expiresAt: said.expiresAt * 1000 };
    assert.deepEqual(await verifier.passport(await signPassport(all.tokenKey, said)), expected);
    assert.deepEqual(await verifier.accessToken(await signAccessToken(all.tokenKey, said)), expected);
  });

  it('takes no kind of token for another', async () => {
    const service = await serviceTokens(all.account).token();
    const passport = await signPassport(all.tokenKey, claims());
    const access = await signAccessToken(all.tokenKey, claims());
    for (const [accept, tokens] of [
      [verifier.serviceToken, [passport, access]],
      [verifier.passport, [service, access]],
      [verifier.accessToken, [service, passport]],
    ] as const) {
      for (const token of tokens) await assert.rejects(accept(token), invalid);
    }
  });

  it('refuses what is no token', async () => {
    for (const token of ['', '.', '..', 'x', 'a.b.c', 'a.b.c.d', 'e30.e30.', '\u0000', 'é.é.é', 'x'.repeat(100_000), unsigned({}, {}), `${Buffer.from('[').toString('base64url')}.e30.x`]) {
      for (const accept of [verifier.serviceToken, verifier.passport, verifier.accessToken]) await assert.rejects(accept(token), invalid);
    }
  });

  it('refuses unsigned tokens and other algorithms', async () => {
    const body = { iss: 'talaria', aud: 'talaria', sub: 'user_peter', client_id: 'c', scope: 's', exp: seconds() + 60 };
    for (const alg of ['none', 'None', 'NONE', '', 'ES256', 'HS256', null, 1]) {
      await assert.rejects(verifier.passport(unsigned({ alg, typ: 'passport+jwt', kid: all.tokenKey.kid }, body)), invalid);
    }
    // The public key as the secret of an HMAC: the classic confusion.
    const [head, middle] = unsigned({ alg: 'HS256', typ: 'passport+jwt', kid: all.tokenKey.kid }, body).split('.') as [string, string];
    const signature = createHmac('sha256', Buffer.from(all.keys.keys()[0]?.jwk.x ?? '', 'base64url')).update(`${head}.${middle}`).digest('base64url');
    await assert.rejects(verifier.passport(`${head}.${middle}.${signature}`), invalid);
  });

  it('refuses a changed token and one signed with another key under a known kid', async () => {
    const [head, body, signature] = (await signPassport(all.tokenKey, claims())).split('.') as [string, string, string];
    const changed = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(body, 'base64url').toString()), sub: 'user_other' })).toString('base64url');
    await assert.rejects(verifier.passport(`${head}.${changed}.${signature}`), invalid);
    await assert.rejects(verifier.passport(`${head}.${body}.`), invalid);
    const stranger = await tokenKeyFrom((await generateTokenKey()).privateJwk);
    await assert.rejects(verifier.passport(await forge({ ...stranger, kid: all.tokenKey.kid })), invalid);
    await assert.rejects(verifier.passport(await forge(stranger)), invalid, 'a kid that nobody knows');
  });

  it('lets a key sign for its owner alone', async () => {
    const service = (iss: string): Promise<string> => forge(all.account, { iss, sub: iss }, { typ: 'JWT' });
    assert.equal((await verifier.serviceToken(await service('service.account'))).service, 'service.account');
    await assert.rejects(verifier.serviceToken(await service('api.gateway')), invalid);
    await assert.rejects(verifier.serviceToken(await forge(all.account, { iss: 'service.account', sub: 'api.gateway' })), invalid);
    // A service signs itself a passport.
    await assert.rejects(verifier.passport(await forge(all.account)), invalid);
    await assert.rejects(verifier.passport(await forge(all.account, { iss: 'service.account' })), invalid);
    await assert.rejects(verifier.passport(await forge({ ...all.account, kid: all.tokenKey.kid })), invalid);
  });

  it('refuses tokens that carry their own key', async () => {
    const { publicJwk: jwk } = await generateTokenKey();
    await assert.rejects(verifier.passport(await forge(all.account, {}, { kid: undefined, jwk })), invalid);
    await assert.rejects(verifier.passport(await forge(all.account, {}, { jwk })), invalid);
  });

  it('refuses wrong audiences, issuers, types and missing or wrong claims', async () => {
    assert.ok(await verifier.passport(await forge(all.tokenKey)));
    for (const claim of [{ aud: 'talaria.edge' }, { aud: 'other' }, { aud: undefined }, { iss: 'other' }, { iss: undefined }, { sub: undefined }, { sub: '' }, { exp: undefined }, { client_id: undefined }, { scope: ['a'] }, { nbf: seconds() + 60 }]) {
      await assert.rejects(verifier.passport(await forge(all.tokenKey, claim)), invalid, JSON.stringify(claim));
    }
    await assert.rejects(verifier.passport(await forge(all.tokenKey, {}, { typ: 'at+jwt' })), invalid);
    await assert.rejects(verifier.passport(await forge(all.tokenKey, {}, { typ: undefined })), invalid);
  });

  it('refuses passports and service tokens that are valid for longer than they may be', async () => {
    await assert.rejects(verifier.passport(await forge(all.tokenKey, { exp: seconds() + 3600 })), invalid);
    await assert.rejects(verifier.serviceToken(await forge(all.account, { iss: 'service.account', sub: 'service.account', exp: seconds() + 3600 })), invalid);
    assert.throws(() => signPassport(all.tokenKey, { ...claims(), expiresAt: seconds() + 301 + 1 }), RangeError);
  });

  it('refuses an expired token, also one that it has verified before', async () => {
    await assert.rejects(verifier.passport(await forge(all.tokenKey, { exp: seconds() - 10 })), expired);
    let ahead = 0;
    const clock: Clock = { ...systemClock, now: () => Date.now() + ahead };
    const later = tokenVerifier(all.keys, { clock });
    const token = await signPassport(all.tokenKey, claims());
    await later.passport(token);
    ahead = 306_000;
    await assert.rejects(later.passport(token), expired);
  });

  it('verifies a token once, and remembers no more than it was told to', async () => {
    let found = 0;
    const counting: KeySource = { keys: () => [], find: (kid) => (found++, all.keys.find(kid)) };
    const small = tokenVerifier(counting, { maxCached: 2 });
    const tokens = await Promise.all(['a', 'b', 'c'].map((id) => signPassport(all.tokenKey, { ...claims(), id })));
    const [a, b, c] = tokens as [string, string, string];
    for (const token of [a, a, b, a, c, a]) await small.passport(token);
    assert.equal(found, 3);
    await small.passport(b);
    assert.equal(found, 4, 'b was not used for longest and gave way to c');
  });
});
