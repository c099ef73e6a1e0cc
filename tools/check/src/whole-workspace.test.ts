import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';

const ROOT = resolve(import.meta.dirname, '../../..');

/** The files of a project, below the workspace. */
function filesOf(config: string): string[] {
  const { config: json, error } = ts.readConfigFile(join(ROOT, config), ts.sys.readFile);
  assert.equal(error, undefined);
  return ts.parseJsonConfigFileContent(json, ts.sys, join(ROOT, config, '..')).fileNames;
}

test('the program of the whole workspace has the files of every project, with their options', () => {
  const configs = globSync('{libs,apps,tools}/*/tsconfig.json', { cwd: ROOT });
  assert.ok(configs.length >= 28, String(configs.length));
  const whole = new Set(filesOf('tsconfig.all.json'));
  assert.deepEqual(configs.flatMap(filesOf).filter((file) => !whole.has(file)), []);
  for (const config of configs) {
    const { extends: base, compilerOptions } = ts.readConfigFile(join(ROOT, config), ts.sys.readFile).config as { extends: string; compilerOptions: object };
    assert.deepEqual([config, base, Object.keys(compilerOptions)], [config, '../../tsconfig.base.json', ['tsBuildInfoFile']]);
  }
});
