import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { silentLogger } from '@talaria/base';
import { connectEtcd, credentialsFrom } from '@talaria/etcd';
import { FlagStoreError, flagStore, type FlagStore } from '@talaria/flags';
import { findPlatform } from '@talaria/service/platform-file';
import { CliError } from '../cli-error.ts';
import { ETCD_REQUEST_MS, fromEtcd } from '../from-etcd.ts';
import { readAll } from './read-all.ts';
import type { Input } from '../input.ts';
import type { Terminal } from '../terminal.ts';

/** What the commands of `talaria flags` and `talaria experiments` work with. */
export interface FlagsEnvironment {
  readonly terminal: Terminal;
  readonly input?: Input;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts when the user wants to stop. */
  readonly signal: AbortSignal;
}

/** What the user may say to every command that changes something. */
export interface FlagsWriteOptions {
  readonly why?: string;
  readonly ifRevision?: string;
}

/** A change takes several requests, and may be tried again. */
const LIMIT_MS = 30_000;

/** Opens the flags of the platform that `env` names, and closes them. */
export async function withFlags<T>({ env, signal }: FlagsEnvironment, use: (flags: FlagStore, ask: <A>(work: Promise<A>) => Promise<A>) => Promise<T>): Promise<T> {
  const { endpoints, user } = findPlatform(env);
  const credentials = credentialsFrom(user);
  const etcd = connectEtcd({ endpoints, log: silentLogger, credentials, requestTimeoutMs: ETCD_REQUEST_MS });
  const store = flagStore({ etcd, namespace: env['TALARIA_NAMESPACE'] || undefined, who: credentials?.()?.username ?? systemUser() });
  const refused = (error: unknown): never => {
    throw error instanceof FlagStoreError ? new CliError(error.message) : error;
  };
  try {
    return await use(store, (work) => fromEtcd(endpoints, work.catch(refused), { signal, limitMs: LIMIT_MS }));
  } finally {
    etcd.close();
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

/** What a change is made with. */
export function changeOptions({ why, ifRevision }: FlagsWriteOptions): { readonly why?: string; readonly ifRevision?: bigint } {
  if (ifRevision !== undefined && !/^\d{1,19}$/.test(ifRevision)) throw new CliError(`"${ifRevision}" is no revision: "talaria flags get" and "talaria experiments get" show it.`, 2);
  return { ...(why === undefined ? {} : { why }), ...(ifRevision === undefined ? {} : { ifRevision: BigInt(ifRevision) }) };
}

/** A document: a file, or `-` for standard input. */
export async function givenText(file: string, environment: FlagsEnvironment): Promise<string> {
  if (file === '-') return readAll(environment.input ?? (await import('../input.ts')).processInput(), environment.signal);
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CliError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}): is that its name?`, 2);
  }
}
