import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findInstalled, programOf, type Installed, type Manifest } from './installed.ts';
import { ServeError } from './serve-error.ts';

/** One package of the workspace, as its package.json describes it. */
export interface Package {
  /** Such as `@talaria/rpc`. */
  readonly name: string;
  /** Its name in nx, by which people serve it: `api-gateway`, the package's name unless its package.json says otherwise. */
  readonly project: string;
  readonly version: string | undefined;
  /** Relative to the workspace, such as `libs/rpc`. */
  readonly folder: string;
  readonly dependencies: readonly string[];
  /** What the key `talaria` says: only apps have it. */
  readonly talaria: AppManifest | undefined;
  /** The key `exports`. */
  readonly exports: Readonly<Record<string, unknown>>;
  /** What `node` runs, relative to the workspace; undefined if there is no such file. */
  readonly program: string | undefined;
}

/** The key `talaria` of an app's package.json. */
export interface AppManifest {
  /** The service's name, such as `service.account`. */
  readonly service?: string;
  /** The contracts that it serves. */
  readonly contracts?: readonly string[];
  /** The apps that it needs when it is served. */
  readonly serve?: readonly string[];
}

/** An app that is to be served. */
export interface App {
  /** Such as `account-service`. */
  readonly name: string;
  /** Such as `service.account`. */
  readonly service: string;
  /** That of its package.json. */
  readonly version: string | undefined;
  readonly contracts: readonly string[];
  /** Whether it keeps data in PostgreSQL. */
  readonly storage: boolean;
  /** Relative to the workspace: `apps/account-service`, or `node_modules/@talaria/auth-service`. */
  readonly folder: string;
  /** What `node` runs, relative to the workspace. */
  readonly program: string;
}

/** The app that takes `PORT` and knows when everything is ready. */
export const GATEWAY = 'api-gateway';

/** Where the apps are that Talaria brings along, when the workspace has none of that name: `@talaria/api-gateway`. */
const PUBLISHED = '@talaria/';

interface WorkspaceManifest extends Manifest {
  readonly talaria?: AppManifest;
}

function packageFrom(root: string, installed: Installed<WorkspaceManifest>): Package {
  const { folder, manifest } = installed;
  return {
    name: manifest.name,
    project: manifest.nx?.name ?? manifest.name,
    version: manifest.version,
    folder,
    dependencies: Object.keys(manifest.dependencies ?? {}),
    talaria: manifest.talaria,
    exports: manifest.exports ?? {},
    program: programOf(root, installed),
  };
}

/** Every package of the workspace at `root`, by name. */
export function readPackages(root: string): ReadonlyMap<string, Package> {
  const files = globSync('{apps,libs,tools}/*/package.json', { cwd: root });
  return new Map(
    files.map((file) => {
      const manifest = JSON.parse(readFileSync(join(root, file), 'utf8')) as WorkspaceManifest;
      return [manifest.name, packageFrom(root, { folder: dirname(file).replaceAll('\\', '/'), manifest })];
    }),
  );
}

/** `name` and every app that it needs, those that others need first. */
export function appsFor(name: string, packages: ReadonlyMap<string, Package>, root: string): readonly App[] {
  const own = new Map([...packages.values()].filter(({ folder }) => folder.startsWith('apps/')).map((each) => [each.project, each]));
  const found = new Map<string, App>();
  const visiting = new Set<string>();

  const appNamed = (app: string): (Package & { readonly program: string }) | undefined => {
    const installed = own.has(app) ? undefined : findInstalled<WorkspaceManifest>(root, `${PUBLISHED}${app}`);
    const found = own.get(app) ?? (installed?.manifest.talaria && packageFrom(root, installed));
    return found?.program === undefined ? undefined : { ...found, program: found.program };
  };
  const visit = (app: string, neededBy: string | undefined): void => {
    if (found.has(app) || visiting.has(app)) return;
    visiting.add(app);
    const known = appNamed(app);
    if (!known) throw new ServeError(neededBy === undefined ? unknownApp(app, own) : missingApp(app, neededBy));
    for (const needed of known.talaria?.serve ?? []) visit(needed, app);
    found.set(app, {
      name: app,
      service: known.talaria?.service ?? app,
      version: known.version,
      contracts: known.talaria?.contracts ?? [],
      storage: known.dependencies.includes('@talaria/storage'),
      folder: known.folder,
      program: known.program,
    });
  };
  visit(name, undefined);
  return [...found.values()];
}

function unknownApp(app: string, own: ReadonlyMap<string, Package>): string {
  if (own.size === 0) return `There is no app "${app}", nor any other in apps/: write one with "npx nx g service invoice" and serve it with "npx nx serve invoice-service".`;
  return `There is no app "${app}". Serve one of: ${[...own.keys()].join(', ')}.`;
}

function missingApp(app: string, neededBy: string): string {
  return `"${neededBy}" needs "${app}" (talaria.serve in its package.json), but there is no apps/${app}/src/main.ts, and no ${PUBLISHED}${app} is installed.`;
}
