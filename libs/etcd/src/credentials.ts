import { readFileSync } from 'node:fs';
import type { CredentialsSource, EtcdCredentials } from './login.ts';

/** Where the credentials for etcd may stand. */
export interface CredentialsOptions {
  /** As in `ETCD_USERNAME`; goes before `file`. Needs `password`. */
  readonly username?: string | undefined;
  /** As in `ETCD_PASSWORD`. */
  readonly password?: string | undefined;
  /** A JSON file, `{"username":"…","password":"…"}`, that is read for each login. It may not exist yet. */
  readonly file?: string | undefined;
}

/** Where to take credentials from; undefined if nothing says so. Throws for a user without a password, and the reverse. */
export function credentialsFrom({ username, password, file }: CredentialsOptions): CredentialsSource | undefined {
  if (username || password) {
    if (!username || !password) throw new Error('etcd needs both a user and a password: set ETCD_USERNAME and ETCD_PASSWORD, or neither.');
    return () => ({ username, password });
  }
  return file ? () => readCredentials(file) : undefined;
}

/** The credentials in a file; undefined if there is no such file. Throws, without its content, if it holds none. */
export function readCredentials(file: string): EtcdCredentials | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`The credentials for etcd in ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}): let this user read it.`, { cause: error });
  }
  try {
    const { username, password } = JSON.parse(text) as Partial<Record<keyof EtcdCredentials, unknown>>;
    if (typeof username === 'string' && typeof password === 'string' && username !== '') return { username, password };
  } catch {
    // Below; what the parser says might quote the password.
  }
  throw new Error(`${file} holds no credentials for etcd: it takes {"username":"…","password":"…"}, as "talaria etcd secure" writes it.`);
}
