// `npx nx run docs:reference`: writes docs/reference from the doc comments of the libs.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeReference, outdatedPages } from './reference.ts';

const HELP = `Usage: npx nx run docs:reference [-- options]

Writes docs/reference from the doc comments of the libs.

  --check   writes nothing; fails if a page is out of date or an exported name has no doc comment
  --help    this text`;

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { check: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const root = join(import.meta.dirname, '../../..');
  const folder = join(root, 'docs/reference');
  const reference = await makeReference(root);
  for (const complaint of reference.undocumented) console.error(complaint);
  const outdated = outdatedPages(folder, reference);
  if (values.check) {
    if (outdated.length > 0) console.error(`Out of date: ${outdated.join(', ')}. Run npx nx run docs:reference.`);
    return outdated.length + reference.undocumented.length > 0 ? 1 : 0;
  }
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [page, text] of reference.pages) writeFileSync(join(folder, page), text);
  console.log(`${reference.pages.size} pages, ${outdated.length} changed.`);
  return reference.undocumented.length > 0 ? 1 : 0;
}

process.exitCode = await main();
