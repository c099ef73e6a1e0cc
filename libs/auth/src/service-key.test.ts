import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { generateTokenKey } from './customer-tokens.ts';
import { generateServiceKey, loadServiceKey, parseServiceKeys, serviceKeyFrom } from './service-key.ts';
import { serviceTokens } from './service-tokens.ts';
import { movingClock } from './testing/moving-clock.ts';
import { tokenVerifier } from './verifier.ts';
import { staticKeys } from './key-source.ts';

describe('service keys', () => {
  it('belong to one service, and show no secret in public', async () => {
    const { privateJwk, publicJwk } = await generateServiceKey('service.account');
    assert.match(publicJwk.kid, /^service\.account#[\w-]{43}$/);
    assert.equal(publicJwk.d, undefined);
    assert.equal((await serviceKeyFrom(privateJwk)).service, 'service.account');
  });

  it('cannot be made for names that no service may have', () => {
    for (const name of ['', 'a#b', 'talaria']) assert.throws(() => generateServiceKey(name), TypeError);
  });

  it('are loaded from a file, or refused with the fix and without the secret', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'auth-'));
    try {
      const { privateJwk } = await generateServiceKey('service.account');
      const file = join(folder, 'key.json');
      const load = async (content: unknown, service?: string): Promise<unknown> => {
        await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
        return loadServiceKey({ file, ...(service ? { service } : {}) });
      };
      assert.ok(await load(privateJwk, 'service.account'));
      await assert.rejects(loadServiceKey({ file: undefined }), /TALARIA_SERVICE_KEY_FILE is not set/);
      await assert.rejects(loadServiceKey({ file: join(folder, 'none') }), /TALARIA_SERVICE_KEY_FILE \(.*none\) cannot be used\. ENOENT/);
      await assert.rejects(load(privateJwk, 'api.gateway'), /belongs to service\.account, and this is api\.gateway/);
      await assert.rejects(load(`${String(privateJwk.d)} oops`), (error: Error) => /not JSON/.test(error.message) && !error.message.includes(String(privateJwk.d).slice(0, 5)));
      const { d: _d, ...shown } = privateJwk;
      for (const bad of [shown, {}, null, [], { ...privateJwk, kid: 'service.account' }, { ...privateJwk, kid: 'service.account#other' }, (await generateTokenKey()).privateJwk]) {
        await assert.rejects(load(bad), /cannot be used/, JSON.stringify(bad));
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('are taken from a set only if they are keys of services', async () => {
    const account = await generateServiceKey('service.account');
    const tokens = await generateTokenKey();
    const posing = { ...account.publicJwk, kid: account.publicJwk.kid.replace('service.account', 'talaria') };
    const renamed = { ...account.publicJwk, kid: 'service.account#mine' };
    const found = await parseServiceKeys(JSON.stringify({ keys: [account.privateJwk, tokens.publicJwk, posing, renamed, {}, null] }));
    assert.deepEqual(found, [account.publicJwk]);
    await assert.rejects(parseServiceKeys('{}'), TypeError);
  });
});

describe('service tokens', () => {
  it('are used until shortly before they expire', async () => {
    const { privateJwk, publicJwk } = await generateServiceKey('service.account');
    const clock = movingClock();
    const tokens = serviceTokens(await serviceKeyFrom(privateJwk), { clock });
    const verifier = tokenVerifier(await staticKeys({ keys: [publicJwk] }), { clock });
    const [first, same] = await Promise.all([tokens.token(), tokens.token()]);
    assert.equal(first, same);
    clock.advance(200_000);
    assert.equal(await tokens.token(), first);
    clock.advance(20_000);
    const next = await tokens.token();
    assert.notEqual(next, first);
    clock.advance(100_000);
    await verifier.serviceToken(next);
    await assert.rejects(verifier.serviceToken(first as string));
  });
});
