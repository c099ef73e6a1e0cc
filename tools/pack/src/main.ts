// Makes the npm packages: `npx nx run pack:pack`, or with options `node tools/pack/src/main.ts`.
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { PackError } from './pack-error.ts';
import { pack } from './pack.ts';

const ROOT = join(import.meta.dirname, '../../..');

/** Ours alone: what an earlier version left there is not published with this one. */
const DEFAULT_OUT = join(ROOT, 'dist/packages');

const HELP = `Usage: node tools/pack/src/main.ts [--out DIR] [name…]

Makes the tarballs of everything that is published, or of the packages named, such as @talaria/rpc, and prints their paths.

  --out DIR   where they go (default: dist/packages in the workspace, emptied first)
  --help      this text`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { out: { type: 'string' }, help: { type: 'boolean', short: 'h' } } });
  if (values.help) return void process.stdout.write(`${HELP}\n`);
  if (values.out === undefined) rmSync(DEFAULT_OUT, { recursive: true, force: true });
  const out = values.out === undefined ? DEFAULT_OUT : resolve(values.out);
  for (const { file } of await pack({ root: ROOT, out, names: positionals })) process.stdout.write(`${file}\n`);
}

try {
  await main();
} catch (error) {
  const usage = (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  if (!usage && !(error instanceof PackError)) throw error;
  process.stderr.write(`pack: ${(error as Error).message}${usage ? ' See node tools/pack/src/main.ts --help.' : ''}\n`);
  process.exitCode = usage ? 2 : 1;
}
