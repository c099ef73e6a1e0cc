import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCredentials, type EtcdCredentials } from '@talaria/etcd';

/** Credentials in files that only their owner may read, one a user. */
export interface CredentialsFiles {
  readonly folder: string;
  /** Where those of `name` are: a service, an operator, or root. */
  file(name: string): string;
  /** Undefined if there is no file yet. */
  read(name: string): EtcdCredentials | undefined;
  /** Makes a password, and keeps it. */
  generate(name: string, username: string): EtcdCredentials;
}

const PASSWORD_BYTES = 24;

/** The files in `folder`, which is made when the first is written. */
export function credentialsFiles(folder: string): CredentialsFiles {
  const file = (name: string): string => join(folder, `${name}.json`);
  return {
    folder,
    file,
    read: (name) => readCredentials(file(name)),
    generate(name, username) {
      const credentials = { username, password: randomBytes(PASSWORD_BYTES).toString('base64url') };
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const temporary = `${file(name)}.${process.pid}`;
      writeFileSync(temporary, `${JSON.stringify(credentials)}\n`, { mode: 0o600 });
      // A service that logs in just now must not read half of it.
      renameSync(temporary, file(name));
      return credentials;
    },
  };
}
