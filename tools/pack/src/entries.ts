import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { CONTRACTS, platformModules } from './contracts.ts';
import { PackError } from './pack-error.ts';
import type { SourcePackage } from './packages.ts';

/** Suites that only the tests of this workspace use, with packages that are not published beside it. */
export const UNPUBLISHED_EXPORT = './testing';

/**
 * The sources that are packed, relative to the package's folder: all of `src/` but tests and what they use, and of the generated
 * contracts those of the platform. Throws a `PackError` if package.json or the contracts name one that is not there.
 */
export function entriesOf(root: string, { folder, manifest }: SourcePackage): readonly string[] {
  const { exports = {}, bin = {} } = manifest;
  const sources = globSync('src/**/*.ts', { cwd: join(root, folder), exclude: ['**/*.test.ts', '**/testing/**'] });
  const modules = manifest.name === CONTRACTS ? platformModules(root, folder) : [];
  const named = Object.entries(exports).flatMap(([key, file]) => (key === UNPUBLISHED_EXPORT || file.includes('*') ? [] : [file]));
  for (const file of [...named, ...Object.values(bin), ...modules]) {
    if (!existsSync(join(root, folder, file))) throw new PackError(`${manifest.name} names ${file}, which is not there: mend ${folder}/package.json, or run "npm run generate".`);
  }
  return [...sources.map((file) => file.replaceAll('\\', '/')), ...modules];
}
