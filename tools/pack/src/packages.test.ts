import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pack, type PackedPackage } from './pack.ts';
import { publishedPackages } from './packages.ts';
import { readTarball } from './tarball.ts';
import { problemsIn } from './testing/contents.ts';
import { publintOn, typesOn } from './testing/judges.ts';

const ROOT = join(import.meta.dirname, '../../..');

/** What `check` finds, a line a package that it finds something in. */
async function findings(packed: readonly PackedPackage[], check: (file: string) => readonly string[] | Promise<readonly string[]>): Promise<Record<string, readonly string[]>> {
  const all = await Promise.all(packed.map(async ({ name, file }) => [name, await check(file)] as const));
  return Object.fromEntries(all.filter(([, found]) => found.length > 0));
}

describe('the packages', () => {
  const out = mkdtempSync(join(tmpdir(), 'talaria-packages-'));
  let packed: readonly PackedPackage[] = [];
  before(async () => {
    packed = await pack({ root: ROOT, out });
  });
  after(() => rmSync(out, { recursive: true, force: true }));

  it('are everything that is not private', () => {
    assert.deepEqual(packed.map(({ name }) => name).sort(), publishedPackages(ROOT).map(({ manifest }) => manifest.name).sort());
    assert.ok(packed.length >= 25, `${packed.length} packages`);
  });

  it('please publint, suggestions included', async () => {
    assert.deepEqual(await findings(packed, publintOn), {});
  });

  it('please arethetypeswrong', async () => {
    assert.deepEqual(await findings(packed, typesOn), {});
  });

  it('hold what a package should, and nothing else', async () => {
    assert.deepEqual(await findings(packed, (file) => problemsIn(readTarball(file), ROOT)), {});
  });

  it('carry the contracts of the platform, and none of the examples', () => {
    const contracts = packed.find(({ name }) => name === '@talaria/contracts');
    const paths = readTarball(contracts?.file ?? '').map(({ path }) => path);
    for (const proto of ['auth/v1/auth', 'buf/validate/validate', 'google/api/annotations', 'google/rpc/status', 'health/v1/health', 'talaria/options/v1/options']) {
      assert.ok(paths.includes(`proto/${proto}.proto`) && paths.includes(`gen/${proto}.js`) && paths.includes(`gen/${proto}.d.ts`), proto);
    }
    assert.deepEqual(paths.filter((path) => /account|transaction|webhook/.test(path)), []);
  });
});
