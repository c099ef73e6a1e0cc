// The TypeScript in docs/ and in all READMEs is compiled, all of it, and run, all that is not marked `no-run`.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { readBlocks, type Block } from './blocks.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');
const folder = join(import.meta.dirname, '../.blocks');
/** Ten times what the slowest takes. */
const LIMIT_MS = 120_000;

const all = readBlocks(root).filter(({ language }) => language === 'ts');
const nameOf = ({ file, line }: Block): string => `${file.replaceAll(/[^a-z0-9]+/gi, '-')}-${line}.ts`;

/** The program that a block is: what stands around it may be a function, and imports belong outside. */
function program({ before: above, code, after: below }: Block): string {
  // A block that makes a service gets one of the platform around it, which needs no etcd.
  const own = above.includes('service: createService') ? code.replace(/import \{ createService(, )?(.*)\} from '@talaria\/service';/, "import {$2 } from '@talaria/service';") : code;
  const lines = [above, own, below, 'export {};'].join('\n').split('\n');
  const isImport = (line: string): boolean => /^import .*;$/.test(line);
  return [...new Set(lines.filter(isImport)), ...lines.filter((line) => !isImport(line)), ''].join('\n');
}

/** What a failed command printed, with pages and lines instead of the files that were made of them. */
function inPages(error: unknown): string {
  const { stdout = '', stderr = '', message = '' } = error as { stdout?: string; stderr?: string; message?: string };
  const text = `${message}\n${stdout}${stderr}`;
  return all.reduce((found, block) => found.replaceAll(nameOf(block), `${block.file}:${block.line}`), text);
}

describe('the code in the documentation', { concurrency: 4 }, () => {
  before(() => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: '../../../tsconfig.base.json', compilerOptions: { incremental: false }, include: ['*.ts'] }));
    for (const block of all) writeFileSync(join(folder, nameOf(block)), program(block));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('compiles', async () => {
    await run(process.execPath, [join(import.meta.dirname, 'compile.ts'), folder]).catch((error: unknown) => assert.fail(inPages(error)));
  });

  // The blocks of a page run one after the other in one process: most of the time goes into loading what they import.
  for (const [page, blocks] of Map.groupBy(all.filter(({ marks }) => !marks.includes('no-run')), ({ file }) => file)) {
    it(`runs: ${page}`, async () => {
      const { NODE_TEST_CONTEXT: _ours, ...env } = process.env;
      const script = blocks.map((block) => `await import(${JSON.stringify(pathToFileURL(join(folder, nameOf(block))))});`).join('\n');
      const options = { cwd: root, env: { ...env, NODE_COMPILE_CACHE: join(folder, '.cache') }, timeout: LIMIT_MS };
      await run(process.execPath, ['--input-type=module', '--eval', script], options).catch((error: unknown) => assert.fail(inPages(error)));
    });
  }
});
