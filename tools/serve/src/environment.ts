import { join } from 'node:path';
import type { Backends } from './engines.ts';
import { GATEWAY, type App } from './workspace.ts';

/** Where the keys of the services are, below the state directory. */
export function keyFile(stateDir: string, service: string): string {
  return join(stateDir, 'keys', `${service}.jwk`);
}

/** Where everybody's public keys are. */
export function publicKeysFile(stateDir: string): string {
  return join(stateDir, 'keys', 'services.jwks.json');
}

/** Where the credentials for etcd are, one file a user, once `talaria etcd secure` has written them. */
export function etcdUsersDir(stateDir: string): string {
  return join(stateDir, 'keys', 'etcd');
}

/** The file of one of them. */
export function etcdUserFile(stateDir: string, name: string): string {
  return join(etcdUsersDir(stateDir), `${name}.json`);
}

/** What every process gets: the user's own environment, and that it is supervised. */
export function sharedEnvironment(stateDir: string, env: NodeJS.ProcessEnv, terminal: boolean): NodeJS.ProcessEnv {
  // nx sets FORCE_COLOR for its tasks, whatever reads them.
  const { PORT: _gatewayOnly, FORCE_COLOR: colors, ...others } = env;
  const rest = terminal && colors !== undefined ? { ...others, FORCE_COLOR: colors } : others;
  return { ...rest, TALARIA_SUPERVISED: '1', TALARIA_STATE_DIR: stateDir, LOG_FORMAT: env['LOG_FORMAT'] || (terminal ? 'pretty' : 'json') };
}

/** Where an instance keeps what it must not share: the first one where a single one does, the others below that. */
export function instanceStateDir(stateDir: string, app: string, index: number): string {
  return index === 0 ? stateDir : join(stateDir, 'instances', `${app}-${index + 1}`);
}

/** What one app gets. */
export function appEnvironment(app: App, all: readonly App[], shared: NodeJS.ProcessEnv, stateDir: string, backends: Backends, port: number | undefined): NodeJS.ProcessEnv {
  return {
    // For developers only, unless the user says otherwise.
    TALARIA_DEV_CLIENTS: 'true',
    TALARIA_WEBHOOK_ALLOW_LOOPBACK: 'true',
    // Else it would take that of the workspace, whose script npm or nx runs.
    ...(app.version === undefined ? {} : { TALARIA_VERSION: app.version }),
    ...shared,
    ETCD_ENDPOINTS: backends.etcdEndpoints,
    ...(backends.databaseUrl === undefined ? {} : { DATABASE_URL: backends.databaseUrl }),
    // Those are for an etcd of one's own, or for the CLI.
    ...(backends.engines.some(({ name }) => name === 'etcd') ? { ETCD_USERNAME: undefined, ETCD_PASSWORD: undefined } : {}),
    // There or not: from then on that it is, the app logs in with it.
    TALARIA_ETCD_CREDENTIALS_FILE: etcdUserFile(stateDir, app.service),
    TALARIA_LISTEN: 'h2c://127.0.0.1:0',
    TALARIA_SERVICE_KEY_FILE: keyFile(stateDir, app.service),
    TALARIA_SERVICE_KEYS_FILE: publicKeysFile(stateDir),
    ...(app.name === GATEWAY ? { PORT: String(port), TALARIA_READY_CONTRACTS: all.flatMap(({ contracts }) => contracts).join(',') } : {}),
  };
}
