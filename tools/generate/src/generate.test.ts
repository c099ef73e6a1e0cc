import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { GenerateError } from './generate-error.ts';
import { generate } from './generate.ts';
import { readWorkspace } from './workspace.ts';

interface Fixture {
  readonly root: string;
  write(file: string, text: string): void;
  generated(): string[];
}

/** A workspace outside this one, with two contracts, one of which nothing of the workspace's own imports. */
function workspace(t: TestContext): Fixture {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'talaria-generate-')));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  write('buf.yaml', 'version: v2\nmodules:\n  - path: proto\n  - path: others\n');
  write('libs/contracts/package.json', '{"exports":{"./*":"./gen/*.ts"}}');
  write('others/used/v1/used.proto', 'syntax = "proto3";\npackage used.v1;\nmessage Used {}\n');
  write('others/unused/v1/unused.proto', 'syntax = "proto3";\npackage unused.v1;\nmessage Unused {}\n');
  write('proto/shop/v1/shop.proto', 'syntax = "proto3";\npackage shop.v1;\nimport "used/v1/used.proto";\nservice ShopService {\n  rpc Open(used.v1.Used) returns (Opened);\n}\nmessage Opened {}\n');
  return { root, write, generated: () => globSync('libs/contracts/gen/**/*.ts', { cwd: root }).map((file) => file.slice('libs/contracts/gen/'.length)).sort() };
}

const FIRST = ['messages/shop/v1/shop.ts', 'messages/used/v1/used.ts', 'shop/v1/shop.ts', 'used/v1/used.ts'];

test('generates what the workspace declares and imports, and what else its package asks for', (t) => {
  const { root, write, generated } = workspace(t);
  generate(readWorkspace(join(root, 'proto/shop')));
  assert.deepEqual(generated(), FIRST);
  write('libs/contracts/package.json', '{"talaria":{"generate":{"inputs":["others"]}}}');
  generate(readWorkspace(root));
  assert.deepEqual(generated(), [...FIRST, 'messages/unused/v1/unused.ts', 'unused/v1/unused.ts'].sort());
});

test('takes away the code of a contract that was removed', (t) => {
  const { root, write, generated } = workspace(t);
  write('proto/gone/v1/gone.proto', 'syntax = "proto3";\npackage gone.v1;\nmessage Gone {}\n');
  generate(readWorkspace(root));
  assert.ok(generated().includes('gone/v1/gone.ts'));
  rmSync(join(root, 'proto/gone'), { recursive: true });
  generate(readWorkspace(root));
  assert.deepEqual(generated(), FIRST);
});

test('a mistake in a proto file changes nothing, and the command says where it is and what to do', (t) => {
  const { root, write, generated } = workspace(t);
  generate(readWorkspace(root));
  const before = readFileSync(join(root, 'libs/contracts/gen/shop/v1/shop.ts'), 'utf8');
  write('proto/shop/v1/shop.proto', 'syntax = "proto3";\npackage shop.v1;\nmessage Opened { Nonsense nonsense = 1; }\n');
  const main = join(import.meta.dirname, 'main.ts');
  const { status, stderr } = spawnSync(process.execPath, [main], { cwd: join(root, 'proto'), encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /proto\/shop\/v1\/shop\.proto:3:18:.*Nonsense/);
  assert.match(stderr, /talaria-generate: The contracts were not generated: mend what buf says above/);
  assert.deepEqual(generated(), FIRST);
  assert.equal(readFileSync(join(root, 'libs/contracts/gen/shop/v1/shop.ts'), 'utf8'), before);
  assert.deepEqual(readdirSync(join(root, 'libs/contracts')).sort(), ['gen', 'package.json']);
  assert.match(execFileSync(process.execPath, [main, '--help'], { encoding: 'utf8' }), /^Usage: talaria-generate /);
});

test('says what a workspace lacks', (t) => {
  const { root } = workspace(t);
  const says = (message: RegExp): void => assert.throws(() => readWorkspace(root), (error) => error instanceof GenerateError && message.test(error.message));
  rmSync(join(root, 'libs'), { recursive: true });
  says(/make .*libs\/contracts\/package\.json, with "exports"/);
  rmSync(join(root, 'proto'), { recursive: true });
  says(/put the contracts into .*\/proto, such as/);
  rmSync(join(root, 'buf.yaml'));
  says(/no buf\.yaml in .* or above it: run this in a Talaria workspace, or add one/);
});
