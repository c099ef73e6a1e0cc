import { readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Package } from './workspace.ts';

/** `from './x.ts'`, `import './x.ts'` and `import('./x.ts')`. A match in a comment or a string adds a file too many: harmless. */
const IMPORT = /\b(?:from|import)\s*\(?\s*['"]([^'"\n]+)['"]/g;

interface Parsed {
  readonly mtimeMs: number;
  readonly specifiers: readonly string[];
}

/** Says which files of the workspace a program is made of. */
export interface ImportGraph {
  /** All files that `entry` imports, transitively, and itself: paths relative to the workspace. Files that are missing are named too. */
  filesOf(entry: string): ReadonlySet<string>;
}

/** Reads imports from the sources below `root`, and keeps them until a file changes. */
export function importGraph(root: string, packages: ReadonlyMap<string, Package>): ImportGraph {
  const cache = new Map<string, Parsed>();

  const specifiersOf = (file: string): readonly string[] => {
    const path = join(root, file);
    try {
      const { mtimeMs } = statSync(path);
      const known = cache.get(file);
      if (known?.mtimeMs === mtimeMs) return known.specifiers;
      const specifiers = [...readFileSync(path, 'utf8').matchAll(IMPORT)].map((match) => match[1] ?? '');
      cache.set(file, { mtimeMs, specifiers });
      return specifiers;
    } catch {
      return [];
    }
  };

  return {
    filesOf(entry) {
      const found = new Set<string>([entry]);
      // A set may be added to while it is walked.
      for (const file of found) {
        // What npm installed does not change while it is served.
        if (file.includes('node_modules/')) continue;
        for (const specifier of specifiersOf(file)) {
          const target = specifier.startsWith('.') ? relative(root, join(root, dirname(file), specifier)) : packageFile(specifier, packages);
          if (target !== undefined) found.add(target.replaceAll('\\', '/'));
        }
      }
      return found;
    },
  };
}

/** The file behind `@talaria/rpc` or `@talaria/contracts/account/v1/account`, by the package's `exports`; undefined for other packages. */
function packageFile(specifier: string, packages: ReadonlyMap<string, Package>): string | undefined {
  const [scope = '', second] = specifier.split('/');
  const name = scope.startsWith('@') && second !== undefined ? `${scope}/${second}` : scope;
  const found = packages.get(name);
  if (!found) return undefined;
  const rest = specifier.slice(name.length);
  const exact = found.exports[`.${rest}`];
  if (typeof exact === 'string') return join(found.folder, exact);
  const pattern = found.exports['./*'];
  return typeof pattern !== 'string' ? undefined : join(found.folder, pattern.replace('*', rest.slice(1)));
}
