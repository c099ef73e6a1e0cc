import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { describe, it, before } from 'node:test';
import { build } from 'esbuild';
import { findOriginals, type Position, type RawSourceMap } from './source-map.ts';

describe('a source map', () => {
  let map: RawSourceMap;
  let code: string;
  before(async () => {
    // This program itself, minified in lines: thousands of mappings.
    const { outputFiles } = await build({
      entryPoints: [`${import.meta.dirname}/../bundle.ts`], outdir: 'nowhere', write: false, bundle: true, minifyWhitespace: true, lineLimit: 100, packages: 'external', platform: 'node', format: 'esm', sourcemap: 'linked',
    });
    const text = (ending: string): string => outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? '';
    map = JSON.parse(text('.map')) as RawSourceMap;
    code = text('.js');
  });

  it('finds what Node finds, for each position of a program, one at a time and all at once', () => {
    const node = new SourceMap(map as never);
    const positions: Position[] = code.split('\n').flatMap((text, line) => Array.from({ length: text.length }, (_, column) => ({ line: line + 1, column: column + 1 })));
    const all = findOriginals(map, positions);
    for (const [index, { line, column }] of positions.entries()) {
      const expected = node.findEntry(line - 1, column - 1) as Partial<{ originalSource: string; originalLine: number; originalColumn: number; generatedLine: number }>;
      // Node also looks in the lines before, where a position in this one cannot come from.
      if (expected.generatedLine !== line - 1) continue;
      const wanted = { source: expected.originalSource, line: (expected.originalLine ?? 0) + 1, column: (expected.originalColumn ?? 0) + 1 };
      assert.deepEqual(all[index], wanted, `${line}:${column}`);
      if (index % 97 === 0) assert.deepEqual(findOriginals(map, [{ line, column }]), [wanted]);
    }
    const thrown = readFileSync(`${import.meta.dirname}/../plugins.ts`, 'utf8').split('\n').findIndex((line) => line.includes("'etcd3 no longer")) + 1;
    assert.ok(all.some((found) => found?.source.endsWith('plugins.ts') && found.line === thrown));
  });

  it('finds nothing where there is nothing', () => {
    assert.deepEqual(findOriginals(map, [{ line: 1_000_000, column: 1 }]), [undefined]);
    assert.deepEqual(findOriginals({ sources: [], mappings: '' }, [{ line: 1, column: 1 }]), [undefined]);
    // One with a source, then one without.
    assert.deepEqual(findOriginals({ sources: ['a.ts'], mappings: 'AAAA,IAAI,K' }, [{ line: 1, column: 3 }, { line: 1, column: 6 }, { line: 1, column: 12 }]), [
      { source: 'a.ts', line: 1, column: 1 },
      { source: 'a.ts', line: 1, column: 5 },
      undefined,
    ]);
  });
});
