import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { GenerateError } from './generate-error.ts';
import { generate, lint } from './generate.ts';
import { readWorkspace } from './workspace.ts';

test('a workspace without a contract is none the worse, and its first one is linted and generated', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'talaria-generate-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'proto/shop/v1'), { recursive: true });
  mkdirSync(join(root, 'libs/contracts/gen'), { recursive: true });
  writeFileSync(join(root, 'buf.yaml'), 'version: v2\nmodules:\n  - path: proto\nlint:\n  use: [STANDARD]\n');
  writeFileSync(join(root, 'libs/contracts/package.json'), '{}');
  writeFileSync(join(root, 'libs/contracts/gen/removed.ts'), '');
  const workspace = readWorkspace(root);
  lint(workspace);
  generate(workspace);
  assert.deepEqual(readdirSync(join(root, 'libs/contracts/gen')), []);

  const contract = (message: string): void => writeFileSync(join(root, 'proto/shop/v1/shop.proto'), `syntax = "proto3";\npackage shop.v1;\nmessage ${message} {}\n`);
  contract('open_shop');
  assert.throws(() => lint(workspace), GenerateError);
  contract('OpenShop');
  lint(workspace);
  generate(workspace);
  assert.deepEqual(readdirSync(join(root, 'libs/contracts/gen')).sort(), ['messages', 'shop']);
});
