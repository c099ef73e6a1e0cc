import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { countCodeLines } from './count-code-lines.ts';

/** The most lines that are neither blank nor comment in the main file of an app. */
export const MOST_MAIN_LINES = 15;

/** The main file of an app. */
export interface MainFile {
  /** Below the workspace: `apps/account-service/src/main.ts`. */
  readonly file: string;
  /** Those that are neither blank nor comment. */
  readonly lines: number;
}

/** The main file of each app of this workspace, by name. Throws if an app has none. */
export function mainFiles(): readonly MainFile[] {
  const root = resolve(import.meta.dirname, '../../..');
  return globSync('apps/*/package.json', { cwd: root })
    .sort()
    .map((manifest) => {
      const file = manifest.replaceAll('\\', '/').replace(/package\.json$/, 'src/main.ts');
      return { file, lines: countCodeLines(readFileSync(join(root, file), 'utf8')) };
    });
}
