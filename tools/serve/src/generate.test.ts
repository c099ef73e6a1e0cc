import assert from 'node:assert/strict';
import { globSync, mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { isStale } from './generate.ts';

test('generated code is stale once a contract is new, changed, moved or gone', () => {
  const root = mkdtempSync(join(tmpdir(), 'talaria-serve-'));
  const write = (file: string): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), '');
  };
  /** Contracts of ten minutes ago, and the code that was made of them five minutes ago. */
  const afresh = (): void => {
    rmSync(root, { recursive: true, force: true });
    const names = ['a/v1/a', 'b/v1/b'];
    names.forEach((name) => write(`proto/${name}.proto`));
    names.forEach((name) => write(`libs/contracts/gen/${name}.ts`));
    write('proto/README.md');
    const age = (pattern: string, minutes: number): void => {
      const at = new Date(Date.now() - minutes * 60_000);
      for (const path of globSync(pattern, { cwd: root })) utimesSync(join(root, path), at, at);
    };
    age('proto/**', 10);
    age('libs/contracts/gen/**', 5);
  };
  const change = (path: string): void => utimesSync(join(root, path), new Date(), new Date());

  const cases: Readonly<Record<string, readonly [change: () => void, stale: boolean]>> = {
    'nothing changed': [() => {}, false],
    'a contract changed': [() => change('proto/a/v1/a.proto'), true],
    'a contract is new': [() => write('proto/a/v1/more.proto'), true],
    'a contract is gone': [() => rmSync(join(root, 'proto/b/v1/b.proto')), true],
    'a folder of contracts is gone': [() => rmSync(join(root, 'proto/b'), { recursive: true }), true],
    // Its own time stays what it was.
    'a contract moved': [() => renameSync(join(root, 'proto/b/v1/b.proto'), join(root, 'proto/b/v1/c.proto')), true],
    'what is no contract changed': [() => change('proto/README.md'), false],
    'nothing was generated': [() => rmSync(join(root, 'libs/contracts/gen'), { recursive: true }), true],
    'there are no contracts yet': [() => ['proto/a', 'proto/b', 'libs/contracts/gen'].forEach((path) => rmSync(join(root, path), { recursive: true })), false],
    'there is no proto folder': [() => rmSync(join(root, 'proto'), { recursive: true }), false],
  };
  for (const [name, [make, stale]] of Object.entries(cases)) {
    afresh();
    make();
    assert.equal(isStale(root), stale, name);
  }
  rmSync(root, { recursive: true });
});
