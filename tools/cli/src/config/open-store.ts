import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { silentLogger } from '@talaria/base';
import { keyringOf, SettingsError, type ConfigKeyring } from '@talaria/config';
import { configStore, ConfigStoreError, type ConfigStore } from '@talaria/config/store';
import { connectEtcd, credentialsFrom, type Etcd } from '@talaria/etcd';
import { findPlatform } from '@talaria/service/platform-file';
import { CliError } from '../cli-error.ts';
import { ETCD_REQUEST_MS, fromEtcd } from '../from-etcd.ts';
import type { Terminal } from '../terminal.ts';

/** What the commands of `talaria config` work with. */
export interface ConfigEnvironment {
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts when the user wants to stop. */
  readonly signal: AbortSignal;
}

/** A store that was found, and how long etcd may take. */
export interface OpenStore {
  readonly store: ConfigStore;
  /** Where it stands. */
  readonly etcd: Etcd;
  /** Waits for etcd within its limits, and says what to do where that, or the store, refuses. */
  ask<T>(work: Promise<T>): Promise<T>;
  /** Asks whether etcd is there, which a watch would wait for, and a long change wait for too long. */
  reach(): Promise<void>;
}

/** For whom a store is opened. */
export interface OpenStoreOptions {
  /** Whether changes are made. Default false: then nobody asks who it is. */
  readonly writes?: boolean;
  readonly why?: string | undefined;
}

/** One request has 2 s; a change takes several, and says itself which of them failed. */
const WRITE_LIMIT_MS = 15_000;

/** Opens the configuration of the platform that `env` names, and closes it. */
export async function withStore<T>({ terminal, env, signal }: ConfigEnvironment, { writes = false, why }: OpenStoreOptions, use: (open: OpenStore) => Promise<T>): Promise<T> {
  const { platform, endpoints, user } = findPlatform(env);
  const served = platform !== undefined && platform.etcd_endpoints === endpoints;
  const { credentials, username } = login(user);
  if (writes && !served && (why === undefined || why.trim() === '')) {
    throw new CliError(`Say why, with --why '…': it is kept with the change. (Only under "npx nx serve" may it be left out.)`, 2);
  }
  // Under serve all are the same operator to etcd.
  const who = (served ? env['ETCD_USERNAME'] : username) || systemUser();
  if (writes && !served && username === undefined) terminal.err(`${terminal.errStyle.dim(`etcd does not know who you are, so "${who}" is taken from this system: "talaria etcd secure" sets up users.`)}\n`);
  const keyring = keyringFor(env, served ? platform.config_keys_file : undefined);
  const etcd = connectEtcd({ endpoints, log: silentLogger, credentials, requestTimeoutMs: ETCD_REQUEST_MS });
  const namespace = env['TALARIA_NAMESPACE'];
  const store = configStore({ etcd, keyring, who, ...(namespace ? { namespace } : {}) });
  const limits = { signal, ...(writes ? { limitMs: WRITE_LIMIT_MS } : {}) };
  try {
    return await use({
      store,
      etcd,
      ask: (work) => fromEtcd(endpoints, work.catch(refused), limits),
      reach: async () => void (await fromEtcd(endpoints, etcd.get(`talaria/${namespace || 'default'}/config`), { signal })),
    });
  } finally {
    etcd.close();
  }
}

/** Whom etcd is told that this is. What is wrong with that is the user's to mend. */
function login(user: Parameters<typeof credentialsFrom>[0]): { readonly credentials: ReturnType<typeof credentialsFrom>; readonly username: string | undefined } {
  try {
    const credentials = credentialsFrom(user);
    return { credentials, username: credentials?.()?.username };
  } catch (error) {
    throw new CliError((error as Error).message, 2);
  }
}

/** Who uses this system. */
function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a number that has no name.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

function keyringFor(env: ConfigEnvironment['env'], file: string | undefined): ConfigKeyring {
  let keys = env['TALARIA_CONFIG_KEYS'];
  try {
    if (!keys && file !== undefined) keys = readFileSync(file, 'utf8').trim();
    return keyringOf({ TALARIA_CONFIG_KEYS: keys });
  } catch (error) {
    if (error instanceof SettingsError) throw new CliError(error.message, 2);
    throw new CliError(`The keys of secrets cannot be read (${(error as Error).message}): start "npx nx serve …" again.`);
  }
}

function refused(error: unknown): never {
  if (error instanceof ConfigStoreError) throw new CliError(`${error.message}${HINTS[error.code] ?? ''}`, error.code === 'malformed' || error.code === 'invalid_value' ? 2 : 1);
  throw error;
}

const HINTS: Readonly<Partial<Record<ConfigStoreError['code'], string>>> = {
  conflict: ' "talaria config explain" shows how it stands now.',
  outcome_unknown: ' "talaria config history" shows it.',
  unknown_change: ' "talaria config history" lists them.',
};
