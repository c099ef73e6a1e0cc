import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { copyAssets } from './assets.ts';

it('copies the files that an app names from its packages, and none if it names none', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'talaria-assets-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'node_modules/viewer'), { recursive: true });
  writeFileSync(join(folder, 'node_modules/viewer/package.json'), '{"name":"viewer"}');
  writeFileSync(join(folder, 'node_modules/viewer/LICENSE'), 'free');
  const name = (assets: readonly string[] | undefined): void => writeFileSync(join(folder, 'package.json'), JSON.stringify({ talaria: { assets } }));
  name(undefined);
  copyAssets(folder);
  assert.ok(!existsSync(join(folder, 'dist')));
  name(['viewer/LICENSE']);
  copyAssets(folder);
  assert.equal(readFileSync(join(folder, 'dist/assets/viewer/LICENSE'), 'utf8'), 'free');
  name(['viewer/absent.css']);
  assert.throws(() => copyAssets(folder), /absent\.css/);
});
