import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CliError } from '../cli-error.ts';

/** A folder for a new workspace, which can be made as if nothing had happened. */
export interface WorkspaceFolder {
  readonly path: string;
  write(files: ReadonlyMap<string, string>): void;
  /** Removes all that was not there before. */
  undo(): void;
}

/** What a fresh clone of an empty repository has. */
const ALLOWED = new Set(['.git']);

/** Checks that `path` is a folder with nothing in it, or does not exist. Throws a `CliError` otherwise; changes nothing. */
export function emptyFolder(path: string, name: string): WorkspaceFolder {
  let existing: readonly string[] | undefined;
  try {
    existing = readdirSync(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') throw new CliError(`There is a file called ${name} here: choose another name.`);
    if (code !== 'ENOENT') throw new CliError(`${path} cannot be read (${message}): choose a folder that you may write.`);
  }
  const inTheWay = existing?.filter((entry) => !ALLOWED.has(entry)) ?? [];
  const [first] = inTheWay;
  if (first !== undefined) throw new CliError(`${path} is not empty (it has ${first}${inTheWay.length > 1 ? ` and ${inTheWay.length - 1} more` : ''}): choose another name, or an empty folder.`);

  return {
    path,
    write(files) {
      try {
        for (const [file, text] of files) {
          mkdirSync(dirname(join(path, file)), { recursive: true });
          writeFileSync(join(path, file), text);
        }
      } catch (error) {
        throw new CliError(`${path} cannot be written (${(error as Error).message}): choose a folder that you may write.`);
      }
    },
    undo() {
      const remove = (entry: string): void => rmSync(entry, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
      if (existing === undefined) remove(path);
      else if (statSync(path, { throwIfNoEntry: false })) readdirSync(path).filter((entry) => !existing.includes(entry)).forEach((entry) => remove(join(path, entry)));
    },
  };
}
