import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { currentCall, runInCall } from '@talaria/context';
import { hasCode, unauthorized, unavailable } from '@talaria/errors';
import { signAccessToken, signPassport } from './customer-tokens.ts';
import { actors, forge, peter, seconds, type Actors } from './testing/actors.ts';
import { movingClock } from './testing/moving-clock.ts';
import { createTokenExchange, type TokenExchange } from './token-exchange.ts';
import { tokenVerifier } from './verifier.ts';

describe('createTokenExchange', () => {
  let all: Actors;
  let token: string;
  let asked: string[];
  let answer: () => Promise<{ passport: string; expiresIn: number }>;
  let clock: ReturnType<typeof movingClock>;
  let tokens: TokenExchange;

  beforeEach(async () => {
    all = await actors();
    token = await signAccessToken(all.tokenKey, { principal: peter, issuedAt: seconds(), expiresAt: seconds() + 3600, id: 'token_1' });
    asked = [];
    let count = 0;
    answer = () => Promise.resolve({ passport: `passport ${++count}`, expiresIn: 300 });
    clock = movingClock();
    tokens = createTokenExchange({ verifier: tokenVerifier(all.keys, { clock }), clock, exchange: (one) => (asked.push(one), answer()) });
  });

  it('asks once for all calls with the same token, outside of them', async () => {
    let inside: number | undefined = 0;
    answer = () => ((inside = currentCall().deadline), Promise.resolve({ passport: 'p', expiresIn: 300 }));
    const got = await runInCall({ deadline: 1 }, () => Promise.all([tokens.passportFor(token), tokens.passportFor(token)]));
    assert.deepEqual(got.map(({ passport, principal }) => [passport, principal.id]), [['p', 'user_peter'], ['p', 'user_peter']]);
    await tokens.passportFor(token);
    assert.deepEqual(asked, [token]);
    assert.equal(inside, undefined);
  });

  it('gets the next passport ahead of the end of this one, in the background', async () => {
    await tokens.passportFor(token);
    clock.advance(250_000);
    assert.equal((await tokens.passportFor(token)).passport, 'passport 1');
    await new Promise(setImmediate);
    assert.equal((await tokens.passportFor(token)).passport, 'passport 2');
    assert.equal(asked.length, 2);
  });

  it('does without auth-service for as long as the passport lasts, then answers 503', async () => {
    await tokens.passportFor(token);
    answer = () => Promise.reject(unavailable('no_instances', 'away'));
    clock.advance(280_000);
    for (let i = 0; i < 10; i++) assert.equal((await tokens.passportFor(token)).passport, 'passport 1');
    assert.equal(asked.length, 2, 'and asks now and then only');
    clock.advance(10_000);
    await assert.rejects(tokens.passportFor(token), (error) => hasCode(error, 'unavailable.auth'));
  });

  it('answers 503 for every failure but the word of auth-service on the token', async () => {
    for (const error of [unavailable('x', ''), unauthorized('caller', ''), new Error('bug')]) {
      answer = () => Promise.reject(error);
      await assert.rejects(tokens.passportFor(token), { code: 'unavailable.auth' });
    }
    answer = () => Promise.reject(unauthorized('invalid_token', 'its client is gone'));
    await assert.rejects(tokens.passportFor(token), { code: 'unauthorized.invalid_token' });
  });

  it('does not ask about tokens that are not valid', async () => {
    const passport = await signPassport(all.tokenKey, { principal: peter, issuedAt: seconds(), expiresAt: seconds() + 60, id: 'p' });
    for (const bad of ['', 'x', passport, await forge(all.account, { aud: 'talaria.edge' }, { typ: 'at+jwt' })]) {
      await assert.rejects(tokens.passportFor(bad), { code: 'unauthorized.invalid_token' });
    }
    const old = await forge(all.tokenKey, { aud: 'talaria.edge', exp: seconds() - 60 }, { typ: 'at+jwt' });
    await assert.rejects(tokens.passportFor(old), { code: 'unauthorized.expired_token' });
    assert.deepEqual(asked, []);
  });

  it('hands out the short passport of a token near its end', async () => {
    answer = () => Promise.resolve({ passport: 'short', expiresIn: 3 });
    assert.equal((await tokens.passportFor(token)).passport, 'short');
    assert.equal((await tokens.passportFor(token)).passport, 'short');
    assert.equal(asked.length, 2);
  });
});
