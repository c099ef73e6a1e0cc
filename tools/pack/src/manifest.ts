import { CONTRACTS } from './contracts.ts';
import { UNPUBLISHED_EXPORT } from './entries.ts';
import { packedPath, typesPath } from './layout.ts';
import { PackError } from './pack-error.ts';
import type { Manifest, SourcePackage } from './packages.ts';

/** Where a command of the packed package is. */
export function binPath(name: string): string {
  return `./bin/${name}.js`;
}

type Conditions = string | { readonly types: string; readonly default: string };

function packedExports(manifest: Manifest): Record<string, Conditions> {
  const entries = Object.entries(manifest.exports ?? {})
    .filter(([key]) => key !== UNPUBLISHED_EXPORT)
    .map(([key, file]): [string, Conditions] => {
      const packed = packedPath(file);
      return [key, packed.endsWith('.js') ? { types: typesPath(packed), default: packed } : packed];
    });
  const protos = manifest.name === CONTRACTS ? { './proto/*': './proto/*' } : {};
  return { ...Object.fromEntries(entries), ...protos, './package.json': './package.json' };
}

/** What `serve` has to know of an app. */
function servedBy({ service, contracts, serve }: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { service, contracts, serve };
}

/**
 * The package.json that is published, with `files`: what others need, and nothing of how the package is made here. Throws a
 * `PackError` if something that belongs on npm is missing.
 */
export function packedManifest({ folder, manifest }: SourcePackage, files: readonly string[]): Record<string, unknown> {
  const { name, version, description, license, bin, generators, dependencies, optionalDependencies, peerDependencies, sideEffects, talaria } = manifest;
  const missing = Object.entries({ version, description, license }).flatMap(([key, value]) => (value ? [] : [key]));
  if (missing.length > 0) throw new PackError(`${folder}/package.json lacks ${missing.join(', ')}: write what npm is to show of ${name}.`);
  const fields = {
    name,
    version,
    description,
    license,
    type: 'module',
    engines: { node: '>=24' },
    exports: packedExports(manifest),
    sideEffects,
    bin: bin && Object.fromEntries(Object.keys(bin).map((command) => [command, binPath(command)])),
    generators,
    files,
    dependencies,
    optionalDependencies,
    peerDependencies,
    talaria: folder.startsWith('apps/') ? servedBy(talaria) : undefined,
    publishConfig: { access: 'public' },
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
