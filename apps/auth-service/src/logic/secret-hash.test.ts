import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hashSecret, isSecretOf } from './secret-hash.ts';

describe('hashSecret', () => {
  it('makes another hash each time, and each is of the secret alone', async () => {
    const [one, other] = await Promise.all([hashSecret('dev-secret'), hashSecret('dev-secret')]);
    assert.notEqual(one, other);
    assert.ok(!one.includes('dev-secret'));
    assert.ok(await isSecretOf(one, 'dev-secret'));
    assert.ok(await isSecretOf(other, 'dev-secret'));
    for (const wrong of ['', 'dev-secret ', 'Dev-secret', one, '\0']) assert.equal(await isSecretOf(one, wrong), false);
  });

  it('takes nothing for the secret of a broken hash', async () => {
    for (const broken of ['', '$', '$$', 'scrypt$$', 'plain', 'scrypt$AAAA$AAAA']) assert.equal(await isSecretOf(broken, ''), false, broken);
  });
});
