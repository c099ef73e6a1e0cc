import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { CredentialsOptions } from '@talaria/etcd';
import { unavailable } from '@talaria/errors';

/** What `nx serve` writes about what it serves: `platform.json` in the state directory. */
export interface PlatformFile {
  /** The supervisor. */
  readonly pid: number;
  /** The app that was asked for, and all that is served. */
  readonly app: string;
  readonly apps: readonly string[];
  /** The contracts of each service that is served, by its name. */
  readonly services?: Readonly<Record<string, readonly string[]>>;
  /** How often each app runs. */
  readonly instances?: Readonly<Record<string, number>>;
  /** `http://localhost:8080`, if the gateway is served. */
  readonly gateway?: string;
  /** As in ETCD_ENDPOINTS. */
  readonly etcd_endpoints: string;
  /** As in DATABASE_URL. */
  readonly database_url?: string;
  /** The public keys of all services. */
  readonly service_keys_file: string;
  /** The private key of `talaria.cli`. */
  readonly cli_key_file: string;
  /** The keys that encrypt secrets in etcd, as in TALARIA_CONFIG_KEYS. */
  readonly config_keys_file?: string;
  /** As whom the CLI logs in to etcd, once `talaria etcd secure` has written it. */
  readonly etcd_credentials_file?: string;
  /** Where `talaria etcd secure` writes the credentials of all, one file a user. */
  readonly etcd_users_dir?: string;
}

/** The nearest folder upwards from `from` that is an Nx workspace. */
function workspaceAbove(from: string): string | undefined {
  for (let at = resolve(from); ; at = dirname(at)) {
    if (existsSync(join(at, 'nx.json'))) return at;
    if (dirname(at) === at) return undefined;
  }
}

/** Where `serve` keeps its state: TALARIA_STATE_DIR (relative to the workspace, as for `serve`), default `.talaria` in the workspace. */
export function stateDirOf(env: Readonly<Record<string, string | undefined>>): string {
  const root = workspaceAbove(process.cwd()) ?? workspaceAbove(import.meta.dirname) ?? process.cwd();
  return resolve(root, env['TALARIA_STATE_DIR'] || '.talaria');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** What is served from a state directory now; undefined if nothing is. */
export function readPlatformFile(stateDir: string): PlatformFile | undefined {
  try {
    const platform = JSON.parse(readFileSync(join(stateDir, 'platform.json'), 'utf8')) as PlatformFile;
    // A supervisor that was killed could not remove it.
    return isAlive(platform.pid) ? platform : undefined;
  } catch {
    return undefined;
  }
}

/** What is served here, where its etcd is, and who to be there (ETCD_USERNAME goes before the file that `serve` names): ETCD_ENDPOINTS goes before the file. Throws `unavailable.platform` if neither says. */
export function findPlatform(
  env: Readonly<Record<string, string | undefined>>,
  stateDir = stateDirOf(env),
): { readonly platform: PlatformFile | undefined; readonly endpoints: string; readonly user: CredentialsOptions } {
  const platform = readPlatformFile(stateDir);
  const endpoints = env['ETCD_ENDPOINTS'] || platform?.etcd_endpoints;
  if (endpoints === undefined) {
    throw unavailable('platform', `Nothing is served from ${stateDir}: start "npx nx serve <app>" (with the same TALARIA_STATE_DIR, if you set one), or set ETCD_ENDPOINTS.`);
  }
  const file = env['TALARIA_ETCD_CREDENTIALS_FILE'] || (platform?.etcd_endpoints === endpoints ? platform.etcd_credentials_file : undefined);
  return { platform, endpoints, user: { username: env['ETCD_USERNAME'], password: env['ETCD_PASSWORD'], file } };
}
