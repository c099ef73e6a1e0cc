import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { configKeysEnvironment, configKeysFile, ensureConfigKeys } from './config-keys.ts';

test('the key of secrets is made once, for its owner only, unless the user has one', () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'talaria-keys-'));
  try {
    const file = configKeysFile(stateDir, {});
    assert.equal(file, join(stateDir, 'keys', 'config.keys'));
    ensureConfigKeys(file);
    const { TALARIA_CONFIG_KEYS: keys = '' } = configKeysEnvironment(file);
    assert.match(keys, /^k1:[A-Za-z0-9+/]{43}=$/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    ensureConfigKeys(file);
    assert.equal(configKeysEnvironment(file)['TALARIA_CONFIG_KEYS'], keys);
    assert.equal(configKeysFile(stateDir, { TALARIA_CONFIG_KEYS: 'own' }), undefined);
    assert.deepEqual(configKeysEnvironment(undefined), {});
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
  }
});
