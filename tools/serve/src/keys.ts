import { existsSync, globSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { keyFile, publicKeysFile } from './environment.ts';
import { readJson, writeJson } from './state-dir.ts';

/** As whom the CLI and scripts call. */
export const CLI_SERVICE = 'talaria.cli';

/** A private JWK (RFC 7517): `d` is the secret. */
type PrivateKey = Readonly<Record<string, unknown>> & { readonly d?: unknown };

/** Makes the keys that are missing, and the set of the public ones. Keys stay the same from then on; only their owner may read them. */
export async function ensureKeys(stateDir: string, services: readonly string[]): Promise<void> {
  const folder = join(stateDir, 'keys');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const service of services) {
    const file = keyFile(stateDir, service);
    if (existsSync(file) && readJson(file)) continue;
    // Loaded only when it is needed: it brings all of gRPC along, which would slow down every start.
    const { generateServiceKey } = await import('@talaria/auth');
    writeJson(file, (await generateServiceKey(service)).privateJwk);
  }
  const publicKeys = globSync('*.jwk', { cwd: folder })
    .sort()
    .map((file) => {
      const { d: _secret, ...rest } = readJson<PrivateKey>(join(folder, file)) ?? {};
      return rest;
    });
  writeJson(publicKeysFile(stateDir), { keys: publicKeys });
}
