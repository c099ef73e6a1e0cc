import { readdirSync, statSync, watch, type FSWatcher } from 'node:fs';
import { join, relative } from 'node:path';

/** How a tree is watched. */
export interface WatchOptions {
  /** Where the paths that are reported start. */
  readonly root: string;
  /** Folders below it; those that do not exist are left out. */
  readonly folders: readonly string[];
  /** Which files count, by path. */
  readonly matches: (file: string) => boolean;
  /** Gets the files that changed, appeared or went, once things have been quiet for `quietMs`. */
  readonly onChange: (files: readonly string[]) => void;
  /** Default 100. */
  readonly quietMs?: number;
}

/** How often the files are looked at where the system cannot notify (no inotify handles left, some network disks). */
const POLL_MS = 1000;

/**
 * Watches folders and what is below them. Each folder gets a watch of its own: editors replace files rather than write them,
 * which loses watches on files. What changed is found by comparing times and sizes, so an event too many does nothing.
 */
export function watchTree(options: WatchOptions): { close(): void } {
  const { root, folders, matches, onChange, quietMs = 100 } = options;
  const watchers = new Map<string, FSWatcher>();
  let known = new Map<string, string>();
  let timer: NodeJS.Timeout | undefined;
  let poll: NodeJS.Timeout | undefined;

  const toRoot = (path: string): string => relative(root, path).replaceAll('\\', '/');

  const watchFolder = (path: string): void => {
    if (watchers.has(path) || poll) return;
    try {
      const watcher = watch(path, () => changed());
      // The folder went; the next look finds out what that means.
      watcher.on('error', () => {
        watcher.close();
        watchers.delete(path);
        changed();
      });
      watchers.set(path, watcher);
    } catch {
      poll = setInterval(look, POLL_MS);
    }
  };

  const scan = (path: string, into: Map<string, string>): void => {
    let entries;
    try {
      entries = readdirSync(path, { withFileTypes: true });
    } catch {
      watchers.get(path)?.close();
      watchers.delete(path);
      return;
    }
    watchFolder(path);
    for (const entry of entries) {
      const child = join(path, entry.name);
      if (entry.isDirectory()) {
        if (entry.name !== 'node_modules' && !entry.name.startsWith('.')) scan(child, into);
      } else if (matches(toRoot(child))) {
        try {
          const { mtimeMs, size } = statSync(child);
          into.set(toRoot(child), `${mtimeMs}/${size}`);
        } catch {
          // It went between the two looks.
        }
      }
    }
  };

  const look = (): void => {
    const now = new Map<string, string>();
    for (const folder of folders) scan(join(root, folder), now);
    const files = [...new Set([...known.keys(), ...now.keys()])].filter((file) => known.get(file) !== now.get(file));
    known = now;
    if (files.length > 0) onChange(files);
  };

  const changed = (): void => {
    clearTimeout(timer);
    timer = setTimeout(look, quietMs);
  };

  for (const folder of folders) scan(join(root, folder), known);
  return {
    close() {
      clearTimeout(timer);
      clearInterval(poll);
      for (const watcher of watchers.values()) watcher.close();
      watchers.clear();
    },
  };
}
