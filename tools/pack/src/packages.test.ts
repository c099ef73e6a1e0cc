import assert from 'node:assert/strict';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { npm } from './npm.ts';
import { pack, type PackedPackage } from './pack.ts';
import { publishedPackages } from './packages.ts';
import { manifestOf, readTarball } from './tarball.ts';
import { startTestRegistry } from './test-registry.ts';
import { node } from './testing/commands.ts';
import { problemsIn } from './testing/contents.ts';
import { publintOn, typesOn } from './testing/judges.ts';
import { writeShop } from './testing/shop.ts';

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

  describe('installed elsewhere', () => {
    const shop = join(out, 'shop');
    before(async () => {
      mkdirSync(shop);
      // Not the plugin: nx, its peer, is large, and runs it in tests of its own.
      const wanted = packed.filter(({ name }) => name !== '@talaria/nx-plugin');
      const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { devDependencies: Record<string, string> };
      const types = Object.fromEntries(['typescript', '@types/node'].map((name) => [name, devDependencies[name] ?? '']));
      writeShop(shop, { ...types, ...Object.fromEntries(wanted.map(({ name, version }) => [name, version])) });
      const registry = await startTestRegistry(out);
      await npm(['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'], shop, { ...process.env, ...registry.env });
      await registry.close();
    });
    const bin = (command: string): string => join(shop, 'node_modules/.bin', command);

    it('bring the viewer of /docs along, with its licence, and not the package that it is from', async () => {
      const viewer = join(shop, 'node_modules/@talaria/api-gateway/dist/viewer.js');
      const { code, stdout, stderr } = await node(['--input-type=module', '--eval', `import { findViewer } from ${JSON.stringify(pathToFileURL(viewer).href)}; console.log(findViewer().script.href, findViewer().style.href)`], shop);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /api-gateway\/dist\/assets\/swagger-ui-dist\/swagger-ui-bundle\.js .*\/swagger-ui\.css/);
      assert.deepEqual(globSync('node_modules/@talaria/api-gateway/dist/assets/swagger-ui-dist/{LICENSE,NOTICE}', { cwd: shop }).length, 2);
      assert.deepEqual(globSync('node_modules/{swagger-ui-dist,@scarf}', { cwd: shop }), []);
    });

    it('generate the contracts of the workspace and what those import, and no others', async () => {
      const { code, stderr } = await node([bin('talaria-generate')], shop);
      assert.equal(code, 0, stderr);
      assert.deepEqual(globSync('**/*.ts', { cwd: join(shop, 'libs/contracts/gen'), exclude: ['messages/**'] }).sort(), [
        'buf/validate/validate.ts',
        'google/api/annotations.ts',
        'google/api/http.ts',
        'google/protobuf/descriptor.ts',
        'google/protobuf/duration.ts',
        'google/protobuf/timestamp.ts',
        'stock/v1/stock.ts',
        'talaria/options/v1/options.ts',
      ]);
    });

    it('typecheck with a service of the workspace, libraries included', async () => {
      const { code, stdout } = await node([join(shop, 'node_modules/typescript/bin/tsc'), '-p', '.'], shop);
      assert.deepEqual({ code, stdout }, { code: 0, stdout: '' });
    });

    it('run that service in memory', async () => {
      const { stdout, stderr } = await node(['apps/stock/src/main.ts'], shop);
      assert.equal(stderr, '');
      assert.deepEqual(JSON.parse(stdout), { count: '3', refusals: ['not found', 'invalid'] });
    });

    it('can be imported, whatever they export', async () => {
      const names = packed.filter(({ name }) => name !== '@talaria/nx-plugin').flatMap(({ name, file }) =>
        Object.keys(manifestOf(readTarball(file))['exports'] as object)
          .filter((key) => key !== './main' && key !== './package.json' && !key.includes('*'))
          .map((key) => `${name}${key.slice(1)}`),
      );
      assert.ok(names.length >= 17, names.join());
      writeFileSync(join(shop, 'imports.mjs'), `for (const name of ${JSON.stringify(names)}) if (Object.keys(await import(name)).length === 0) throw new Error(name);\nprocess.exit();`);
      const { code, stderr } = await node(['imports.mjs'], shop);
      assert.equal(code, 0, stderr);
    });

    it('have commands that say so when Node is too old', async () => {
      const old = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.20.2'}})`;
      const commands = packed.flatMap(({ file }) => Object.keys((manifestOf(readTarball(file))['bin'] as object | undefined) ?? {}));
      assert.ok(commands.includes('talaria') && commands.includes('talaria-serve'), commands.join());
      for (const command of commands) {
        const { code, stderr } = await node(['--import', old, bin(command)], shop);
        assert.equal(code, 1);
        assert.match(stderr, new RegExp(`^${command} needs Node 24 or newer, [^\\n]*\\n$`));
      }
      const { stdout } = await node([bin('talaria'), '--help'], shop);
      assert.match(stdout, /^Usage: talaria /);
    });
  });
});
