// The TypeScript in README.md and docs/ is compiled, all of it, and run, all that is not marked `no-run`.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { readBlocks, type Block } from './blocks.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');
const folder = join(import.meta.dirname, '../.blocks');
/** Ten times what the slowest takes. */
const LIMIT_MS = 120_000;

const all = readBlocks(root).filter(({ file, language }) => language === 'ts' && !/^(libs|tools|apps)\//.test(file));
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

describe('the code in the documentation', () => {
  before(() => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: '../../../tsconfig.base.json', compilerOptions: { incremental: false }, include: ['*.ts'] }));
    for (const block of all) writeFileSync(join(folder, nameOf(block)), program(block));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('compiles', async () => {
    await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder]).catch((error: unknown) => assert.fail(inPages(error)));
  });

  for (const block of all.filter(({ marks }) => !marks.includes('no-run'))) {
    it(`runs: ${block.file}:${block.line}`, async () => {
      const { NODE_TEST_CONTEXT: _ours, ...env } = process.env;
      await run(process.execPath, [join(folder, nameOf(block))], { cwd: root, env, timeout: LIMIT_MS }).catch((error: unknown) => assert.fail(inPages(error)));
    });
  }
});
