import { existsSync, lstatSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Tree } from '@nx/devkit';

interface Change {
  readonly file: string;
  /** What is there now; undefined for nothing. */
  readonly before: Buffer | undefined;
  /** What the generator writes; undefined if it deletes. */
  readonly after: Buffer | undefined;
}

/** What was there before a generator wrote. */
export interface Undo {
  /** Puts everything back that is as the generator wrote it. Does nothing where nothing was written (a dry run). */
  undo(): void;
}

const read = (path: string): Buffer | undefined => {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
};

/** The folders above `file` that are not there yet, innermost first. */
function newFolders(root: string, file: string): string[] {
  const missing: string[] = [];
  for (let folder = dirname(file); folder !== '.' && !existsSync(join(root, folder)); folder = dirname(folder)) missing.push(folder);
  return missing;
}

/**
 * Notes what is there now of all that `tree` changes. `links`: what an installation would add (relative to the root); `touched`:
 * files that other programs change afterwards, such as the lockfile.
 */
export function noteBefore(tree: Tree, touched: readonly string[], links: readonly string[]): Undo {
  const { root } = tree;
  const changes = tree.listChanges().map(({ path, type, content }): Change => ({ file: path, before: read(join(root, path)), after: type === 'DELETE' ? undefined : (content ?? undefined) }));
  const folders = [...new Set(changes.flatMap(({ file }) => newFolders(root, file)))].sort((a, b) => b.length - a.length);
  const others = touched.map((file) => ({ file, before: read(join(root, file)) }));
  const added = links.filter((link) => !existsSync(join(root, link)));

  const restore = (file: string, before: Buffer | undefined): void => {
    if (before === undefined) return rmSync(join(root, file), { force: true });
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), before);
  };
  return {
    undo() {
      let wrote = false;
      for (const { file, before, after } of changes) {
        const now = read(join(root, file));
        // Whatever else changed the file meanwhile is not ours to undo.
        if (after === undefined ? now !== undefined : now === undefined || !now.equals(after)) continue;
        restore(file, before);
        wrote = true;
      }
      if (!wrote) return;
      for (const { file, before } of others) {
        const now = read(join(root, file));
        if (now === undefined ? before !== undefined : before === undefined || !now.equals(before)) restore(file, before);
      }
      for (const link of added) if (lstatSync(join(root, link), { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(join(root, link));
      for (const folder of folders) removeIfEmpty(join(root, folder));
    },
  };
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Somebody else has put something there.
  }
}
