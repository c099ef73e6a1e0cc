import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { generateTokenKey, type KeyPairJwks } from '@talaria/auth';
import { systemClock } from '@talaria/service';
import { createTokenKeys } from './token-keys.ts';

describe('createTokenKeys', () => {
  it('makes one key for all that ask together, and tries again after a failure', async () => {
    let kept: KeyPairJwks | undefined;
    let down = true;
    let added = 0;
    const storage = {
      active: () => (down ? Promise.reject(new Error('away')) : Promise.resolve(kept?.privateJwk)),
      addFirst: (key: KeyPairJwks) => (added++, (kept = key), Promise.resolve()),
      published: () => Promise.resolve(kept ? [kept.publicJwk] : []),
    };
    const keys = createTokenKeys(storage, systemClock);
    await assert.rejects(keys.signing(), /away/);
    down = false;
    const [one, other] = await Promise.all([keys.signing(), keys.signing()]);
    assert.equal(one, other);
    assert.equal(added, 1);
    assert.deepEqual((await keys.published()).map(({ kid }) => kid), [one?.kid]);
    down = true;
    assert.equal((await keys.signing()).kid, one?.kid, 'known for a while, whatever becomes of the database');
  });

  it('looks up anew which key signs now and then', async () => {
    let ahead = 0;
    let looked = 0;
    const { privateJwk } = await generateTokenKey();
    const storage = { active: () => (looked++, Promise.resolve(privateJwk)), addFirst: () => assert.fail(), published: () => Promise.resolve([]) };
    const keys = createTokenKeys(storage, { ...systemClock, monotonic: () => performance.now() + ahead });
    await keys.signing();
    await keys.signing();
    assert.equal(looked, 1);
    ahead = 61_000;
    await keys.signing();
    assert.equal(looked, 2);
  });
});
