import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { npm } from './npm.ts';
import { manifestOf, readTarball } from './tarball.ts';
import { startTestRegistry } from './test-registry.ts';

/** Longer than the 100 bytes that a tar header has for a name. */
const FAR_DOWN = `${'long-'.repeat(20)}/${'path-'.repeat(20)}/far.js`;

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

test('npm installs a scope from the tarballs of a folder, and holds them to their integrity', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'talaria-registry-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  write(join(folder, 'source/package.json'), JSON.stringify({ name: '@talaria/probe', version: '1.2.3', type: 'module', exports: './index.js' }));
  write(join(folder, 'source/index.js'), 'export const probe = 42;\n');
  write(join(folder, 'source', FAR_DOWN), '// far down\n');
  await npm(['pack', '--pack-destination', folder, join(folder, 'source')], folder);

  const files = readTarball(join(folder, 'talaria-probe-1.2.3.tgz'));
  assert.deepEqual(files.map(({ path }) => path).sort(), ['index.js', FAR_DOWN, 'package.json'].sort());
  assert.deepEqual([manifestOf(files).name, manifestOf(files).version], ['@talaria/probe', '1.2.3']);

  const registry = await startTestRegistry(folder);
  t.after(() => registry.close());
  const project = join(folder, 'project');
  write(join(project, 'package.json'), '{"dependencies":{"@talaria/probe":"^1.0.0"}}');
  const env = { ...process.env, ...registry.env, npm_config_cache: join(folder, 'cache') };
  await npm(['install'], project, env);
  assert.equal(readFileSync(join(project, 'node_modules/@talaria/probe/index.js'), 'utf8'), 'export const probe = 42;\n');

  const lock = join(project, 'package-lock.json');
  const installed = JSON.parse(readFileSync(lock, 'utf8')) as { packages: Record<string, { integrity: string }> };
  assert.match(installed.packages['node_modules/@talaria/probe']?.integrity ?? '', /^sha512-/);
  writeFileSync(lock, readFileSync(lock, 'utf8').replace(/"sha512-[^"]+"/, `"sha512-${'A'.repeat(86)}=="`));
  await assert.rejects(npm(['ci'], project, env), /EINTEGRITY/);

  const answer = await fetch(`${registry.url}@talaria%2fnone`);
  assert.equal(answer.status, 404);
  await answer.body?.cancel();
});
