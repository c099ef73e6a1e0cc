import { globSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

const filesOf = (folder: string): string[] => globSync('**/*.ts', { cwd: folder });

/**
 * Moves the generated files of `from` over those of `to`, and removes files that have no successor. Each file is replaced in
 * one step, so that a program that starts meanwhile never reads half a file.
 */
export function replaceFolder(from: string, to: string): void {
  const before = filesOf(to);
  const after = filesOf(from);
  for (const file of after) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    renameSync(join(from, file), join(to, file));
  }
  const kept = new Set(after);
  for (const file of before) if (!kept.has(file)) rmSync(join(to, file), { force: true });
}
