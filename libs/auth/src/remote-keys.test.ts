import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { currentCall, runInCall } from '@talaria/context';
import { hasCode } from '@talaria/errors';
import { remoteKeys } from './remote-keys.ts';
import { generateServiceKey } from './service-key.ts';
import { serviceTokens } from './service-tokens.ts';
import { actors, forge, type Actors } from './testing/actors.ts';
import { movingClock } from './testing/moving-clock.ts';
import { tokenVerifier } from './verifier.ts';

const away = (error: unknown): boolean => hasCode(error, 'unavailable.auth');

describe('remoteKeys', () => {
  let all: Actors;
  let json: string;
  before(async () => {
    all = await actors();
    json = JSON.stringify(all.jwks);
  });

  it('fetches once for all that ask at the same time, outside of their calls', async () => {
    let fetches = 0;
    let deadline: number | undefined = 0;
    const keys = remoteKeys({
      fetch: async () => {
        fetches++;
        deadline = currentCall().deadline;
        return json;
      },
    });
    const found = await runInCall({ deadline: 1 }, () => Promise.all([all.account.kid, all.gateway.kid, all.tokenKey.kid].map((kid) => keys.find(kid))));
    assert.deepEqual(found.map((key) => key?.owner), ['service.account', 'api.gateway', 'talaria']);
    assert.equal(fetches, 1);
    assert.equal(deadline, undefined);
    assert.equal(keys.keys().length, 3);
  });

  it('answers 503 while it never had keys, never 401, and recovers by itself', async () => {
    let up = false;
    const keys = remoteKeys({ minIntervalMs: 1, fetch: () => (up ? Promise.resolve(json) : Promise.reject(new Error('connection refused'))) });
    const verifier = tokenVerifier(keys);
    const token = await serviceTokens(all.account).token();
    await assert.rejects(verifier.serviceToken(token), away);
    await assert.rejects(verifier.serviceToken(await forge(all.tokenKey)), (error) => hasCode(error, 'unauthorized'), 'that needs no keys to be refused');
    up = true;
    assert.equal((await verifier.serviceToken(token)).service, 'service.account');
  });

  it('gives up on a fetch that hangs, and on its caller when that hangs up', async () => {
    let aborted = 0;
    const keys = remoteKeys({ minIntervalMs: 1, fetchTimeoutMs: 20, fetch: (signal) => new Promise(() => signal.addEventListener('abort', () => aborted++)) });
    await assert.rejects(keys.find(all.account.kid), away);
    assert.equal(aborted, 1);
    const hungUp = new Error('hung up');
    await assert.rejects(runInCall({ signal: AbortSignal.abort(hungUp) }, () => keys.find(all.account.kid)), hungUp);
  });

  it('keeps the last known keys while they cannot be fetched', async () => {
    let answer: () => Promise<string> = () => Promise.resolve(json);
    const clock = movingClock();
    const failed = Promise.withResolvers<void>();
    const keys = remoteKeys({ clock, minIntervalMs: 1, fetch: () => answer() });
    await keys.refresh();
    for (const broken of ['not json', '[]', '{}', 'null', '{"keys":{}}']) {
      answer = () => Promise.resolve(broken);
      await assert.rejects(keys.refresh(), away);
    }
    answer = () => (failed.resolve(), Promise.reject(new Error('away')));
    clock.advance(301_000);
    assert.ok(await keys.find(all.account.kid), 'and does not wait for the refresh that this starts');
    await failed.promise;
    assert.ok(await keys.find(all.account.kid));
    // Whether a key that is not known exists cannot be told: not 401.
    await assert.rejects(keys.find('service.new#x'), away);
  });

  it('finds a new key at once, and is certain that an unknown one does not exist', async () => {
    let jwks = json;
    let fetches = 0;
    const keys = remoteKeys({ minIntervalMs: 1, fetch: () => (fetches++, Promise.resolve(jwks)) });
    await keys.refresh();
    const { publicJwk } = await generateServiceKey('service.new');
    jwks = JSON.stringify({ keys: [...all.jwks.keys, publicJwk] });
    assert.equal((await keys.find(publicJwk.kid))?.owner, 'service.new');
    assert.equal(await keys.find('service.ghost#x'), undefined);
    assert.equal(fetches, 3);
  });

  it('starts one fetch in an interval however many unknown keys are asked for', async () => {
    let fetches = 0;
    const keys = remoteKeys({ minIntervalMs: 50, fetch: () => (fetches++, Promise.resolve(json)) });
    await keys.refresh();
    const found = await Promise.all(Array.from({ length: 500 }, (_, index) => keys.find(`service.ghost#${index}`)));
    assert.ok(found.every((key) => key === undefined));
    assert.equal(fetches, 2);
  });

  it('does not wait for anything when it must not', async () => {
    const keys = remoteKeys({ fetch: () => assert.fail('fetched') });
    assert.equal(await keys.find(all.account.kid, { knownOnly: true }), undefined);
  });

  it('passes over keys that it cannot use', async () => {
    const odd = [null, 7, {}, { kty: 'RSA', kid: 'a#b' }, { kty: 'OKP', crv: 'Ed25519', x: '!', kid: 'a#b' }, { kty: 'OKP', crv: 'Ed25519', x: 'AAAA', kid: 'a#c' }, { ...all.jwks.keys[0], kid: 'nameless' }];
    const keys = remoteKeys({ fetch: () => Promise.resolve(JSON.stringify({ keys: [...odd, ...all.jwks.keys] })) });
    await keys.refresh();
    assert.equal(keys.keys().length, 3);
  });
});
