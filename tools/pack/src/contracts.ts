import { cpSync, globSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The package whose contracts are only partly published. */
export const CONTRACTS = '@talaria/contracts';

/** The platform's own proto files, and those of others that they or a service's author import. The contracts of the example apps stay here. */
const PLATFORM_PROTOS: readonly { readonly folder: string; readonly files: string }[] = [
  { folder: 'proto', files: '{auth,buf,google,talaria}/**/*.proto' },
  { folder: 'node_modules/protobufjs', files: 'google/api/{annotations,http}.proto' },
  { folder: 'node_modules/grpc-health-check/proto', files: 'health/**/*.proto' },
  { folder: 'node_modules/@grpc/reflection/build/proto', files: 'grpc/**/*.proto' },
];

/** Comes with buf as proto files, and is generated like the others. */
const WELL_KNOWN = 'google/protobuf';

interface ProtoFile {
  readonly from: string;
  /** As other proto files import it. */
  readonly name: string;
}

function platformProtos(root: string): readonly ProtoFile[] {
  return PLATFORM_PROTOS.flatMap(({ folder, files }) =>
    globSync(files, { cwd: join(root, folder) }).map((file) => ({ from: join(root, folder, file), name: file.replaceAll('\\', '/') })),
  );
}

/** The generated modules that are published, relative to the package of the contracts: `gen/auth/v1/auth.ts`. What they import comes along. */
export function platformModules(root: string, folder: string): readonly string[] {
  const wellKnown = globSync(`gen/${WELL_KNOWN}/**/*.ts`, { cwd: join(root, folder) }).map((file) => file.replaceAll('\\', '/'));
  return [...platformProtos(root).map(({ name }) => `gen/${name.replace(/\.proto$/, '.ts')}`), ...wellKnown];
}

/** Copies the proto files to `staging`/proto, from where buf reads them in other workspaces. */
export function copyPlatformProtos(root: string, staging: string): void {
  for (const { from, name } of platformProtos(root)) {
    const to = join(staging, 'proto', name);
    mkdirSync(dirname(to), { recursive: true });
    cpSync(from, to);
  }
}
