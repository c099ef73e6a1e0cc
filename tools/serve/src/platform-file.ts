import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeJson } from './state-dir.ts';

/** Tells the CLI and scripts where everything is; `platform.json` in the state directory, while it is served. */
export interface PlatformFile {
  /** The supervisor. */
  readonly pid: number;
  /** What was asked for. */
  readonly app: string;
  /** All that is served. */
  readonly apps: readonly string[];
  /** The contracts of each service that is served, by its name: `service.account`. */
  readonly services: Readonly<Record<string, readonly string[]>>;
  /** How often each app runs. */
  readonly instances: Readonly<Record<string, number>>;
  /** `http://localhost:8080`, if the gateway is served. */
  readonly gateway?: string | undefined;
  /** As in ETCD_ENDPOINTS. */
  readonly etcd_endpoints: string;
  /** As in DATABASE_URL; absent until it is known. */
  readonly database_url?: string | undefined;
  /** The public keys of all services. */
  readonly service_keys_file: string;
  /** The private key of the CLI, which is the caller `talaria.cli`. */
  readonly cli_key_file: string;
  /** The keys that encrypt secrets in etcd, as in TALARIA_CONFIG_KEYS; absent where the user has set that. */
  readonly config_keys_file?: string | undefined;
  /** As whom the CLI logs in to etcd; there once `talaria etcd secure` has written it. */
  readonly etcd_credentials_file: string;
  /** Where `talaria etcd secure` writes the credentials of all, one file a user. */
  readonly etcd_users_dir: string;
}

const fileIn = (stateDir: string): string => join(stateDir, 'platform.json');

/** Writes it; only its owner may read it. */
export function writePlatformFile(stateDir: string, platform: PlatformFile): void {
  writeJson(fileIn(stateDir), platform, 0o600);
}

/** Removes it. */
export function removePlatformFile(stateDir: string): void {
  rmSync(fileIn(stateDir), { force: true });
}
