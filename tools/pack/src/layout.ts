import { posix } from 'node:path';

/** Where a source file of a package is once it is packed: `./src/a.ts` is `./dist/a.js`, `./gen/a.ts` is `./gen/a.js`, all else keeps its name. */
export function packedPath(path: string): string {
  return path.replace(/^(\.\/)?src\//, '$1dist/').replace(/(?<!\.d)\.ts$/, '.js');
}

/** The types beside a packed file: `./dist/a.d.ts` for `./dist/a.js`. */
export function typesPath(packed: string): string {
  return packed.replace(/\.js$/, '.d.ts');
}

/** How a source map that is packed at `map` names the source that it was made of: `../src/a.ts` from `dist/a.js.map`. */
export function sourceInMap(map: string, source: string): string {
  return posix.relative(posix.dirname(map), source);
}
