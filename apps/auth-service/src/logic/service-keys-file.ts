import { readFile, stat } from 'node:fs/promises';
import { parseServiceKeys, type JWK } from '@talaria/auth';
import { unavailable, type Logger } from '@talaria/service';

/** The public keys of all services. */
export interface ServiceKeysFile {
  /** As the file has them now. Rejects with `unavailable.service_keys` if it never could be read. */
  read(): Promise<readonly JWK[]>;
}

/** A JWK Set in a file, parsed again when the file has changed; the last good content stays while it cannot be read. */
export function serviceKeysFile(options: { readonly file: () => string | undefined; readonly log: Logger }): ServiceKeysFile {
  const { log } = options;
  let last: { readonly version: string; readonly keys: readonly JWK[] } | undefined;

  async function load(path: string): Promise<readonly JWK[]> {
    const { mtimeNs, size, ino } = await stat(path, { bigint: true });
    const version = `${mtimeNs} ${size} ${ino}`;
    if (last?.version === version) return last.keys;
    const keys = await parseServiceKeys(await readFile(path, 'utf8'));
    last = { version, keys };
    log.debug('read the keys of services', { file: path, keys: keys.map((key) => key.kid) });
    return keys;
  }

  return {
    async read() {
      const file = options.file();
      if (file === undefined) return [];
      try {
        return await load(file);
      } catch (error) {
        log.warn('TALARIA_SERVICE_KEYS_FILE cannot be read: it must hold a JWK Set with the public keys of services', { file, err: error });
        if (last) return last.keys;
        // Not an empty set: services would be told that their good keys are unknown.
        throw unavailable('service_keys', 'The keys of services cannot be read.', { cause: error });
      }
    },
  };
}
