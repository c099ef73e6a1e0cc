import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ServeError } from './serve-error.ts';

/** One package of the workspace, as its package.json describes it. */
export interface Package {
  /** Such as `@talaria/rpc`. */
  readonly name: string;
  /** Its name in nx, by which people serve it: `nx.name` in its package.json, or the name of its folder. */
  readonly project: string;
  /** Relative to the workspace, such as `libs/rpc`. */
  readonly folder: string;
  readonly dependencies: readonly string[];
  /** What the key `talaria` says: only apps have it. */
  readonly talaria: AppManifest | undefined;
  /** The key `exports`. */
  readonly exports: Readonly<Record<string, string>>;
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
  readonly contracts: readonly string[];
  /** Whether it keeps data in PostgreSQL. */
  readonly storage: boolean;
}

/** The app that takes `PORT` and knows when everything is ready. */
export const GATEWAY = 'api-gateway';

/** Every package of the workspace at `root`, by name. */
export function readPackages(root: string): ReadonlyMap<string, Package> {
  const files = globSync('{apps,libs,tools}/*/package.json', { cwd: root });
  return new Map(
    files.map((file) => {
      const manifest = JSON.parse(readFileSync(join(root, file), 'utf8')) as {
        name: string;
        dependencies?: Record<string, string>;
        talaria?: AppManifest;
        exports?: Record<string, string>;
        nx?: { name?: string };
      };
      const folder = dirname(file).replaceAll('\\', '/');
      const project = manifest.nx?.name ?? basename(folder);
      return [manifest.name, { name: manifest.name, project, folder, dependencies: Object.keys(manifest.dependencies ?? {}), talaria: manifest.talaria, exports: manifest.exports ?? {} }];
    }),
  );
}

/** `name` and every app that it needs, those that others need first. */
export function appsFor(name: string, packages: ReadonlyMap<string, Package>, root: string): readonly App[] {
  const found = new Map<string, App>();
  const visiting = new Set<string>();
  const apps = new Map([...packages.values()].filter(({ folder }) => folder.startsWith('apps/')).map((each) => [each.project, each]));
  const visit = (app: string, neededBy: string | undefined): void => {
    if (found.has(app) || visiting.has(app)) return;
    visiting.add(app);
    const manifest = apps.get(app);
    if (!manifest || !existsSync(join(root, manifest.folder, 'src/main.ts'))) {
      throw new ServeError(
        neededBy === undefined
          ? `There is no app "${app}". Serve one of: ${[...apps.keys()].join(', ')}.`
          : `"${neededBy}" needs "${app}" (talaria.serve in its package.json), but there is no apps/${app}/src/main.ts.`,
      );
    }
    for (const needed of manifest.talaria?.serve ?? []) visit(needed, app);
    found.set(app, {
      name: app,
      service: manifest.talaria?.service ?? app,
      contracts: manifest.talaria?.contracts ?? [],
      storage: manifest.dependencies.includes('@talaria/storage'),
    });
  };
  visit(name, undefined);
  return [...found.values()];
}
