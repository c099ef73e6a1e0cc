import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { credentialsFrom } from './index.ts';

test('credentials come from the environment, else from a file that may come later', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'talaria-credentials-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'etcd.json');
  assert.equal(credentialsFrom({}), undefined);
  assert.deepEqual(credentialsFrom({ username: 'ada', password: 'p', file })?.(), { username: 'ada', password: 'p' });
  assert.throws(() => credentialsFrom({ username: 'ada', file }), /both a user and a password/);
  assert.throws(() => credentialsFrom({ password: 'p' }), /both a user and a password/);
  const fromFile = credentialsFrom({ file });
  assert.equal(fromFile?.(), undefined);
  await writeFile(file, '{"username":"bob","password":"q"}');
  assert.deepEqual(fromFile?.(), { username: 'bob', password: 'q' });
  for (const text of ['{"username":"bob","password":"secret', '{"username":"bob"}', '"secret"', 'null']) {
    await writeFile(file, text);
    assert.throws(() => fromFile?.(), (error: Error) => /holds no credentials/.test(error.message) && !`${error.stack}`.includes('secret"') && error.cause === undefined);
  }
});
