import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONTRACTS, platformModules } from './contracts.ts';
import { PackError } from './pack-error.ts';
import type { SourcePackage } from './packages.ts';

/** Suites that only the tests of this workspace use, with packages that are not published beside it. */
export const UNPUBLISHED_EXPORT = './testing';

/** The parts of an nx `generators.json` that name files. */
interface GeneratorsFile {
  readonly generators?: Readonly<Record<string, { readonly factory?: string }>>;
}

/** The sources through which others enter a package, relative to its folder, such as `src/index.ts`. Throws a `PackError` for one that is not there. */
export function entriesOf(root: string, { folder, manifest }: SourcePackage): readonly string[] {
  const { exports = {}, bin = {}, generators } = manifest;
  const named = Object.entries(exports).flatMap(([key, file]) => (key === UNPUBLISHED_EXPORT || file.includes('*') || !file.endsWith('.ts') ? [] : [file]));
  const all = [...named, ...Object.values(bin), ...(generators === undefined ? [] : factories(join(root, folder, generators)))].map((file) => file.replace(/^\.\//, ''));
  const entries = [...new Set([...all, ...(manifest.name === CONTRACTS ? platformModules(root, folder) : [])])];
  for (const entry of entries) {
    if (!existsSync(join(root, folder, entry))) throw new PackError(`${manifest.name} names ${entry}, which is not there: mend ${folder}/package.json, or run "npm run generate".`);
  }
  return entries;
}

function factories(file: string): string[] {
  const { generators = {} } = JSON.parse(readFileSync(file, 'utf8')) as GeneratorsFile;
  return Object.values(generators).flatMap(({ factory }) => (factory === undefined ? [] : [/\.ts$/.test(factory) ? factory : `${factory}.ts`]));
}
