import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { joinPathFragments, readJson, type Tree } from '@nx/devkit';
import { GeneratorError } from '../generator-error.ts';
import { readProto, type ProtoFile, type ProtoService } from '../proto/proto-file.ts';

/** A package.json, as far as generators read it. */
export interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly nx?: { readonly name?: string };
  readonly talaria?: { readonly service?: string; readonly contracts?: readonly string[]; readonly serve?: readonly string[] };
}

/** A package of the workspace. */
export interface Project {
  /** Relative to the workspace: `apps/account-service`. */
  readonly folder: string;
  /** What nx calls it. */
  readonly name: string;
  readonly manifest: Manifest;
}

/** What generators need to know of the workspace that they write into. */
export interface Workspace {
  /** The package of the contracts: `@talaria/contracts` or `@shop/contracts`. */
  readonly contracts: { readonly name: string; readonly version: string };
  readonly projects: readonly Project[];
  /** Those in `apps/`. */
  readonly apps: readonly Project[];
  readonly protos: readonly ProtoFile[];
  /** That of the root; undefined if it names none. */
  readonly license: string | undefined;
  /** The version with which a package depends on another, such as `@talaria/service`. */
  versionOf(dependency: string): string;
}

const CONTRACTS = 'libs/contracts/package.json';

/** Packages of one release go together, and this is one of them. */
function ownVersion(): string {
  return (JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as { version: string }).version;
}

function protosBelow(tree: Tree, folder: string): ProtoFile[] {
  return tree
    .children(folder)
    .sort()
    .flatMap((name) => {
      const path = joinPathFragments(folder, name);
      if (!tree.isFile(path)) return protosBelow(tree, path);
      return name.endsWith('.proto') ? [readProto(path, tree.read(path, 'utf8') ?? '')] : [];
    });
}

/** Reads the workspace. Throws a `GeneratorError` where there is none. */
export function readWorkspace(tree: Tree): Workspace {
  if (!tree.exists(CONTRACTS)) throw new GeneratorError(`There is no ${CONTRACTS}, so this is no workspace of Talaria: make one with "npx @talaria/cli new shop" and run this there.`);
  const contracts = readJson<Manifest>(tree, CONTRACTS);
  const root = tree.exists('package.json') ? readJson<Manifest>(tree, 'package.json') : {};
  const projects = ['apps', 'libs', 'tools'].flatMap((kind) =>
    tree.children(kind).flatMap((child): Project[] => {
      const folder = `${kind}/${child}`;
      if (!tree.exists(`${folder}/package.json`)) return [];
      const manifest = readJson<Manifest>(tree, `${folder}/package.json`);
      return [{ folder, name: manifest.nx?.name ?? manifest.name ?? child, manifest }];
    }),
  );
  const versions = new Map(Object.entries({ ...root.dependencies, ...root.devDependencies }));
  for (const { manifest } of projects) if (manifest.name !== undefined && manifest.version !== undefined) versions.set(manifest.name, manifest.version);
  return {
    contracts: { name: contracts.name ?? '@talaria/contracts', version: contracts.version ?? '0.0.0' },
    projects,
    apps: projects.filter(({ folder }) => folder.startsWith('apps/')),
    protos: tree.exists('proto') ? protosBelow(tree, 'proto') : [],
    license: root.license,
    versionOf: (dependency) => versions.get(dependency) ?? ownVersion(),
  };
}

/** Every contract of the workspace. */
export function contractsOf({ protos }: Workspace): readonly ProtoService[] {
  return protos.flatMap(({ services }) => services);
}
