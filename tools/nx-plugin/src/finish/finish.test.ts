import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { FileChange, Tree } from '@nx/devkit';
import { GeneratorError } from '../generator-error.ts';
import { finish } from './finish.ts';
import { noteBefore } from './undo.ts';

interface Workspace {
  readonly root: string;
  /** As nx has it before it writes. */
  readonly tree: Tree;
  /** Writes as nx does. */
  flush(): void;
  /** Every file with its text, but for what is installed. */
  files(): Record<string, string>;
}

/** A workspace on disk, with a change of a file and a new one. `generate` is what its script does. */
function workspace(t: TestContext, generate: string): Workspace {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'nx-plugin-')));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  write('package.json', JSON.stringify({ name: 'shop', version: '1.0.0', private: true, workspaces: ['apps/*'], scripts: { generate } }));
  write('apps/old/package.json', '{"name":"old","version":"1.0.0"}');
  write('package-lock.json', JSON.stringify({ name: 'shop', version: '1.0.0', lockfileVersion: 3, requires: true, packages: { '': { name: 'shop', version: '1.0.0', workspaces: ['apps/*'] }, 'apps/old': { version: '1.0.0' }, 'node_modules/old': { resolved: 'apps/old', link: true } } }));
  const changes: FileChange[] = [
    { path: 'apps/new/package.json', type: 'CREATE', content: Buffer.from('{"name":"new","version":"1.0.0"}') },
    { path: 'apps/new/src/deep/main.ts', type: 'CREATE', content: Buffer.from('// new\n') },
    { path: 'proto/new/v1/new.proto', type: 'CREATE', content: Buffer.from('syntax = "proto3";\n') },
    { path: 'apps/old/package.json', type: 'UPDATE', content: Buffer.from('{"name":"old","version":"1.0.0","description":"changed"}') },
  ];
  return {
    root,
    tree: { root, listChanges: () => changes } as unknown as Tree,
    flush: () => changes.forEach(({ path, content }) => write(path, content?.toString() ?? '')),
    files: () => Object.fromEntries(globSync('**/*', { cwd: root, withFileTypes: true }).filter((each) => each.isFile() && !each.parentPath.includes('node_modules')).map((each) => [join(each.parentPath, each.name), readFileSync(join(each.parentPath, each.name), 'utf8')])),
  };
}

test('installs the project and generates the contracts', { timeout: 120_000 }, async (t) => {
  const { root, tree, flush } = workspace(t, 'node -e "require(\'node:fs\').writeFileSync(\'generated\', \'\')"');
  const done = finish(tree, { install: 'new' });
  flush();
  await done();
  assert.ok(existsSync(join(root, 'generated')));
  assert.ok(existsSync(join(root, 'node_modules/new/package.json')));
  assert.ok(readFileSync(join(root, 'package-lock.json'), 'utf8').includes('apps/new'));
});

test('puts everything back when the contracts cannot be generated, and says why', { timeout: 120_000 }, async (t) => {
  const { root, tree, flush, files } = workspace(t, 'echo "proto/other.proto:1:1: syntax error" && exit 3');
  const before = files();
  const done = finish(tree, { install: 'new' });
  flush();
  await assert.rejects(async () => done(), (error: unknown) => error instanceof GeneratorError && /^Nothing was changed, as Generating the contracts failed: .*\n[^]*syntax error/.test(error.message));
  assert.deepEqual(files(), before);
  assert.ok(!existsSync(join(root, 'apps/new')) && !existsSync(join(root, 'proto')) && !existsSync(join(root, 'node_modules/new')));
});

test('puts everything back when it is interrupted, or ends before it is done', { timeout: 120_000 }, async (t) => {
  const { root, tree, files } = workspace(t, 'node -e "require(\'node:fs\').writeFileSync(\'started\', \'\'); setInterval(() => {}, 1000)"');
  const before = files();
  const program = join(root, 'program.mjs');
  const changes = tree.listChanges().map(({ path, type, content }) => ({ path, type, content: content?.toString() }));
  writeFileSync(
    program,
    `import { mkdirSync, writeFileSync } from 'node:fs';
     import { dirname, join } from 'node:path';
     import { finish } from ${JSON.stringify(join(import.meta.dirname, 'finish.ts'))};
     const root = ${JSON.stringify(root)};
     const changes = ${JSON.stringify(changes)}.map((change) => ({ ...change, content: Buffer.from(change.content) }));
     const done = finish({ root, listChanges: () => changes }, {});
     for (const { path, content } of changes) { mkdirSync(dirname(join(root, path)), { recursive: true }); writeFileSync(join(root, path), content); }
     if (process.argv[2] === 'early') process.exit(1);
     Promise.resolve().then(done).catch((error) => { console.log(error.message); process.exitCode = 1; });`,
  );
  for (const how of ['SIGINT', 'SIGTERM', 'early'] as const) {
    const child = spawn(process.execPath, [program, how], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
    if (how !== 'early') {
      while (!existsSync(join(root, 'started'))) await delay(20);
      child.kill(how);
    }
    assert.equal(await exited, 1, output);
    if (how !== 'early') assert.match(output, new RegExp(`Nothing was changed, as it was interrupted \\(${how}\\)`));
    rmSync(join(root, 'started'), { force: true });
    const { [program]: _program, ...after } = files();
    assert.deepEqual(after, before, how);
  }
});

test('undoes nothing that was not written, and nothing that others have changed since', (t) => {
  const { root, tree, flush, files } = workspace(t, 'true');
  const before = files();
  const dry = noteBefore(tree, [], []);
  dry.undo();
  assert.deepEqual(files(), before);
  const note = noteBefore(tree, [], []);
  flush();
  writeFileSync(join(root, 'apps/new/src/deep/main.ts'), '// edited\n');
  note.undo();
  assert.deepEqual(files(), { ...before, [join(root, 'apps/new/src/deep/main.ts')]: '// edited\n' });
});
