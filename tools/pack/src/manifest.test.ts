import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { withoutOutsideLinks } from './assets.ts';
import { entriesOf } from './entries.ts';
import { packedManifest } from './manifest.ts';
import { PackError } from './pack-error.ts';
import { publishedPackages, type Manifest } from './packages.ts';

const PROBE: Manifest = { name: '@talaria/probe', version: '1.2.3', description: 'A probe', license: 'Apache-2.0' };

test('a package.json for others has what they need, and nothing of how it is made here', () => {
  const source = {
    ...PROBE,
    exports: { '.': './src/index.ts', './testing': './src/testing/index.ts', './package.json': './package.json' },
    bin: { probe: './src/main.ts' },
    sideEffects: false,
    dependencies: { other: '1.0.0' },
    devDependencies: { tool: '1.0.0' },
    nx: { name: 'probe' },
    talaria: { service: 'service.probe', assets: ['x'] },
  };
  const common = { engines: { node: '>=24' }, type: 'module', files: ['dist'], publishConfig: { access: 'public' } };
  const exported = { '.': { types: './dist/index.d.ts', default: './dist/index.js' }, './package.json': './package.json' };
  const expected = { ...PROBE, ...common, exports: exported, bin: { probe: './bin/probe.js' }, sideEffects: false, dependencies: { other: '1.0.0' } };
  assert.deepEqual(packedManifest({ folder: 'libs/probe', manifest: source }, ['dist']), expected);
  // `serve` reads what an app is.
  const app = packedManifest({ folder: 'apps/probe', manifest: source }, ['dist']);
  assert.deepEqual(JSON.parse(JSON.stringify(app['talaria'])), { service: 'service.probe' });
});

test('what npm shows of a package has to be written', () => {
  const { description: _left, ...manifest } = PROBE;
  assert.throws(() => packedManifest({ folder: 'libs/probe', manifest }, []), new PackError('libs/probe/package.json lacks description: write what npm is to show of @talaria/probe.'));
});

test('finds what is not private, makes apps commands, and says which names there are', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'talaria-pack-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const write = (folder: string, manifest: object): void => {
    mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, folder, 'package.json'), JSON.stringify(manifest));
  };
  write('libs/probe', { ...PROBE, exports: { '.': './src/index.ts' } });
  write('libs/hidden', { ...PROBE, name: '@talaria/hidden', private: true });
  write('apps/front', { ...PROBE, name: '@talaria/front', exports: { './main': './src/main.ts' } });
  const [front, probe, ...others] = publishedPackages(root);
  assert.deepEqual(front?.manifest.bin, { 'talaria-front': './src/main.ts' });
  assert.deepEqual([probe?.folder, probe?.manifest.bin, others], ['libs/probe', undefined, []]);
  assert.throws(() => publishedPackages(root, ['@talaria/hidden']), /Nothing is published as @talaria\/hidden: name some of @talaria\/front, @talaria\/probe/);
  assert.throws(() => probe && entriesOf(root, probe), /@talaria\/probe names \.\/src\/index\.ts, which is not there: mend libs\/probe\/package\.json/);
});

test('a README keeps links into its package and to the web, and of others the text', () => {
  const text = 'See [proto](../../proto), [here](#here), [a file](docs/a.md) and [npm](https://npmjs.com).';
  assert.equal(withoutOutsideLinks(text), 'See proto, [here](#here), [a file](docs/a.md) and [npm](https://npmjs.com).');
});
