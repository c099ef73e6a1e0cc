import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { PackError } from './pack-error.ts';

/** What of a package.json matters here. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly license?: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, string>>;
  /** Files and folders that are no sources and are published too, such as schemas. */
  readonly files?: readonly string[];
  readonly bin?: Readonly<Record<string, string>>;
  /** The file that lists the generators of an nx plugin. */
  readonly generators?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  /** What bundlers may leave out. */
  readonly sideEffects?: boolean;
  readonly talaria?: Readonly<Record<string, unknown>>;
}

/** A package of this workspace that is published. */
export interface SourcePackage {
  /** Relative to the workspace, such as `libs/rpc`. */
  readonly folder: string;
  readonly manifest: Manifest;
}

/** Everything in the workspace at `root` that is not private, by name; only `names`, if there are any. Throws a `PackError` for a name that is not there. */
export function publishedPackages(root: string, names: readonly string[] = []): readonly SourcePackage[] {
  const all = globSync('{libs,apps,tools}/*/package.json', { cwd: root })
    .map((file) => withCommand(dirname(file).replaceAll('\\', '/'), JSON.parse(readFileSync(join(root, file), 'utf8')) as Manifest))
    .filter(({ manifest }) => !manifest.private)
    .sort((a, b) => a.manifest.name.localeCompare(b.manifest.name));
  const known = all.map(({ manifest }) => manifest.name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new PackError(`Nothing is published as ${unknown.join(', ')}: name some of ${known.join(', ')}, or none for all.`);
  return names.length === 0 ? all : all.filter(({ manifest }) => names.includes(manifest.name));
}

/** An app is a command too where it is installed: `talaria-api-gateway`, by which `serve` runs it. */
function withCommand(folder: string, manifest: Manifest): SourcePackage {
  const program = folder.startsWith('apps/') ? manifest.exports?.['./main'] : undefined;
  return { folder, manifest: program === undefined ? manifest : { ...manifest, bin: { [`talaria-${basename(folder)}`]: program, ...manifest.bin } } };
}
