import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const VARIABLE = 'TALARIA_CONFIG_KEYS';

/** Where the keys are that encrypt secrets in etcd, as in TALARIA_CONFIG_KEYS; undefined if the user has set that. */
export function configKeysFile(stateDir: string, env: NodeJS.ProcessEnv): string | undefined {
  return env[VARIABLE] ? undefined : join(stateDir, 'keys', 'config.keys');
}

/** Makes a key if there is none; it stays the same from then on, and only its owner may read it. */
export function ensureConfigKeys(file: string): void {
  if (existsSync(file)) return;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(file, `k1:${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** What an app gets of them. Read each time, so that an app that starts again has the keys that were put there meanwhile. */
export function configKeysEnvironment(file: string | undefined): NodeJS.ProcessEnv {
  if (file === undefined) return {};
  try {
    return { [VARIABLE]: readFileSync(file, 'utf8').trim() };
  } catch {
    // Somebody has removed it: the apps run all the same, and name the secrets that they cannot read.
    return {};
  }
}
