import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { isSealed, keyringOf, SettingsError, type SealedSecret } from './index.ts';

const key = (id: string, bytes = 32): string => `${id}:${randomBytes(bytes).toString('base64')}`;
const place = { namespace: 'default', target: 'service/service.mail', name: 'mail.password' };

describe('keyringOf', () => {
  it('opens what it sealed, and shows none of it', () => {
    const ring = keyringOf({ TALARIA_CONFIG_KEYS: key('k1') });
    for (const value of ['hunter2', { user: 'a', password: 'hunter2' }, ['hunter2'], 2, null, '']) {
      const sealed = ring.seal(value, place);
      assert.equal(isSealed(JSON.parse(JSON.stringify(sealed))), true);
      assert.doesNotMatch(JSON.stringify(sealed), /hunter2/);
      assert.deepEqual(ring.open(sealed, place), value);
    }
    assert.notDeepEqual(ring.seal('hunter2', place), ring.seal('hunter2', place));
  });

  it('is rotated: the first key encrypts, all decrypt', () => {
    const [old, next] = [key('k1'), key('k2')];
    const sealed = keyringOf({ TALARIA_CONFIG_KEYS: old }).seal('hunter2', place);
    const both = keyringOf({ TALARIA_CONFIG_KEYS: ` ${next}, ${old}\n` });
    assert.deepEqual(both.ids, ['k2', 'k1']);
    assert.equal(both.open(sealed, place), 'hunter2');
    assert.equal(both.seal('hunter2', place).$secret.key, 'k2');
    assert.throws(() => keyringOf({ TALARIA_CONFIG_KEYS: next }).open(sealed, place), /encrypted with the key "k1", which TALARIA_CONFIG_KEYS lacks/);
    assert.throws(() => keyringOf({}).open(sealed, place), /which TALARIA_CONFIG_KEYS lacks/);
    assert.throws(() => keyringOf({}).seal('hunter2', place), /set TALARIA_CONFIG_KEYS/);
  });

  it('opens nothing that was moved or changed', () => {
    const ring = keyringOf({ TALARIA_CONFIG_KEYS: key('k1') });
    const sealed = ring.seal('hunter2', place);
    const refused = (other: SealedSecret, at = place): void => assert.throws(() => ring.open(other, at), /cannot be decrypted with the key "k1": it was changed, or written for another place/);
    for (const moved of [{ ...place, namespace: 'other' }, { ...place, target: 'global' }, { ...place, name: 'mail.subject' }]) refused(sealed, moved);
    const { iv, data } = sealed.$secret;
    const flipped = Buffer.from(data, 'base64');
    flipped[0] = (flipped[0] ?? 0) ^ 1;
    for (const change of [{ data: flipped.toString('base64') }, { data: '' }, { data: 'AAAA' }, { data: data.slice(0, -4) }, { iv: '' }, { iv: iv.slice(4) }]) refused({ $secret: { ...sealed.$secret, ...change } });
  });

  it('refuses keys that are malformed, all with the fix and none with the key', () => {
    for (const text of ['k1', 'k1:', ':AAAA', `k1:${'A'.repeat(42)}`, key('k1', 16), key('k 1'), `${key('k1')},`, `${key('k1')},${key('k1')}`, `k1:${'!'.repeat(44)}`]) {
      assert.throws(
        () => keyringOf({ TALARIA_CONFIG_KEYS: text }),
        (error) => {
          assert.ok(error instanceof SettingsError);
          assert.match(error.message, /TALARIA_CONFIG_KEYS has a wrong value \(a secret, not shown\): .*openssl rand -base64 32/);
          for (const part of text.split(/[:,]/)) if (part.length > 20) assert.ok(!inspect(error).includes(part));
          return true;
        },
      );
    }
    assert.deepEqual(keyringOf({ TALARIA_CONFIG_KEYS: '' }).ids, []);
  });
});

it('isSealed knows a secret by its form', () => {
  for (const other of [null, 'x', [], {}, { $secret: null }, { $secret: 'x' }, { $secret: { key: 'k', iv: 'x' } }, { $secret: { key: 'k', iv: 'x', data: 1 } }, { $secret: { key: 'k', iv: 'x', data: 'x' }, more: 1 }]) assert.equal(isSealed(other), false);
});
