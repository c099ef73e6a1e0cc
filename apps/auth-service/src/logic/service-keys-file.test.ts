import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { generateServiceKey } from '@talaria/auth';
import { type Logger } from '@talaria/service';
import { serviceKeysFile } from './service-keys-file.ts';

describe('serviceKeysFile', () => {
  let folder: string;
  const warnings: string[] = [];
  const log = { debug: () => {}, warn: (message: string) => void warnings.push(message) } as unknown as Logger;
  before(async () => void (folder = await mkdtemp(join(tmpdir(), 'keys-'))));
  after(() => rm(folder, { recursive: true }));

  it('has no keys without a file', async () => {
    assert.deepEqual(await serviceKeysFile({ file: () => undefined, log }).read(), []);
  });

  it('answers 503 for a file that never could be read, then reads it, and again when it changes', async () => {
    const path = join(folder, 'services.json');
    const file = serviceKeysFile({ file: () => path, log });
    await assert.rejects(file.read(), { code: 'unavailable.service_keys' });

    const one = await generateServiceKey('service.one');
    await writeFile(path, JSON.stringify({ keys: [one.privateJwk] }));
    assert.deepEqual(await file.read(), [one.publicJwk], 'and passes no private parts on');

    const other = await generateServiceKey('service.other');
    await writeFile(path, JSON.stringify({ keys: [one.publicJwk, other.publicJwk] }));
    assert.equal((await file.read()).length, 2);

    warnings.length = 0;
    await writeFile(path, '{"keys": [half');
    assert.equal((await file.read()).length, 2, 'the last good content stays');
    await rm(path);
    assert.equal((await file.read()).length, 2);
    assert.equal(warnings.length, 2);
  });
});
