import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { ServeError } from './serve-error.ts';

/** What `serve` reads of a package.json. */
export interface Manifest {
  readonly name: string;
  readonly version?: string;
  readonly bin?: string | Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  /** Its name in nx, if that is another. */
  readonly nx?: { readonly name?: string };
}

/** A package that Node finds from the workspace: one of its own, linked there by npm, or one that was installed. */
export interface Installed<M extends Manifest = Manifest> {
  /** Relative to the workspace, with `/`: `tools/etcd`, or `node_modules/@talaria/etcd-server`. */
  readonly folder: string;
  readonly manifest: M;
}

/** The package `name` as Node would find it from `root`; undefined if it is not installed. */
export function findInstalled<M extends Manifest>(root: string, name: string): Installed<M> | undefined {
  for (let at = root; ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name);
    if (existsSync(join(folder, 'package.json'))) {
      // A link that npm made for a package of the workspace: its folder there is the name that people know.
      const real = relative(realpathSync(root), realpathSync(folder)).replaceAll('\\', '/');
      return { folder: real, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as M };
    }
    if (dirname(at) === at) return undefined;
  }
}

/** The file that `node` runs, relative to the workspace: what the package exports as `./main`, or has as `bin`, or else src/main.ts. */
export function programOf(root: string, { folder, manifest }: Installed): string | undefined {
  const { bin, exports } = manifest;
  // Of several conditions `default` is the last one.
  const named = [exports?.['./main'], bin].map((each) => (typeof each === 'object' && each !== null ? Object.values(each).at(-1) : each));
  const file = [...named, 'src/main.ts'].find((each): each is string => typeof each === 'string' && existsSync(join(root, folder, each)));
  return file === undefined ? undefined : join(folder, file).replaceAll('\\', '/');
}

/** The program of a tool that `serve` runs. Throws a `ServeError` that says how to install it; `otherwise` says what else would do. */
export function toolProgram(root: string, name: string, otherwise = ''): string {
  const found = findInstalled(root, name);
  const program = found && programOf(root, found);
  if (program === undefined) throw new ServeError(`${name} is not installed: run "npm install --save-dev ${name}" in this workspace${otherwise}.`);
  return program;
}
