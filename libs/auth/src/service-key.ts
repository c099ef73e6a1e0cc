import { readFile } from 'node:fs/promises';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose';
import { TOKEN_ISSUER } from './names.ts';
import { ownerOf, publicJwk } from './public-key.ts';

/** A new key, as JWKs with kid: the private one for its owner, the public one for auth-service's JWK Set. */
export interface KeyPairJwks {
  readonly privateJwk: JWK & { readonly kid: string };
  readonly publicJwk: JWK & { readonly kid: string };
}

/** The key with which a service proves who it is. */
export interface ServiceKey {
  /** Such as `service.account`: what the key id begins with. */
  readonly service: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK & { readonly kid: string };
}

/** A new Ed25519 key whose id binds it to `owner`. */
export async function generateKey(owner: string): Promise<KeyPairJwks> {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const { kty, crv, x, d } = await exportJWK(privateKey);
  const kid = `${owner}#${await calculateJwkThumbprint({ kty, crv, x } as JWK)}`;
  const shared = { kty, crv, x, kid, alg: 'EdDSA', use: 'sig' } as JWK & { kid: string };
  return { privateJwk: { ...shared, d } as JWK & { kid: string }, publicJwk: shared };
}

/** A new key for a service such as `service.account`. Throws for a name that no service may have. */
export function generateServiceKey(service: string): Promise<KeyPairJwks> {
  const flaw = nameFlaw(service);
  if (flaw) throw new TypeError(flaw);
  return generateKey(service);
}

function nameFlaw(service: string): string | undefined {
  if (service === '' || service.includes('#')) return `"${service}" is no name of a service: use one such as service.account.`;
  if (service === TOKEN_ISSUER) return `The name "${TOKEN_ISSUER}" is taken by the keys of tokens: give the service another name.`;
  return undefined;
}

/** Reads a private JWK. Rejects with an error that says what is wrong with it; never with the key in it. */
export async function serviceKeyFrom(jwk: unknown): Promise<ServiceKey> {
  const shown = publicJwk(jwk);
  const { d } = (jwk ?? {}) as { d?: unknown };
  if (!shown || typeof d !== 'string') throw new TypeError('A service key is a private Ed25519 JWK ("kty":"OKP","crv":"Ed25519", with "d") whose "kid" is <service>#<thumbprint>.');
  const service = ownerOf(shown.kid) as string;
  const flaw = nameFlaw(service);
  if (flaw) throw new TypeError(flaw);
  if (!(await hasOwnThumbprint(shown))) throw new TypeError(`The kid "${shown.kid}" does not end in the thumbprint (RFC 7638) of the key: generate the key anew.`);
  return { service, kid: shown.kid, privateKey: (await importJWK({ ...shown, d }, 'EdDSA')) as CryptoKey, publicJwk: shown };
}

async function hasOwnThumbprint(jwk: JWK & { kid: string }): Promise<boolean> {
  return jwk.kid.endsWith(`#${await calculateJwkThumbprint(jwk)}`);
}

/** Reads the key of this service from the file that `TALARIA_SERVICE_KEY_FILE` names. Rejects with an error that names the fix. */
export async function loadServiceKey(options: { readonly file: string | undefined; readonly service?: string }): Promise<ServiceKey> {
  const { file, service } = options;
  if (!file) throw new Error('TALARIA_SERVICE_KEY_FILE is not set: it names the file with the private JWK of this service (`serve` makes one).');
  try {
    const key = await serviceKeyFrom(JSON.parse(await readFile(file, 'utf8')));
    if (service !== undefined && key.service !== service) throw new TypeError(`It belongs to ${key.service}, and this is ${service}: point TALARIA_SERVICE_KEY_FILE at the key of ${service}.`);
    return key;
  } catch (error) {
    // A parser's message may quote the file, and the file is a secret.
    const reason = error instanceof SyntaxError ? 'It is not JSON: it must hold one private JWK.' : (error as Error).message;
    throw new Error(`TALARIA_SERVICE_KEY_FILE (${file}) cannot be used. ${reason}`, error instanceof SyntaxError ? {} : { cause: error });
  }
}

/**
 * The public keys of a JWK Set that services may use: Ed25519, with a kid that carries the key's own thumbprint and the
 * name of a service. Others are left out: none may pose as a key of tokens. Throws if it is not a JWK Set.
 */
export async function parseServiceKeys(jwks: string): Promise<readonly (JWK & { readonly kid: string })[]> {
  const keys = (JSON.parse(jwks) as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys)) throw new TypeError('not a JWK Set: an object with an array "keys" is expected');
  const found: (JWK & { kid: string })[] = [];
  for (const key of keys) {
    const jwk = publicJwk(key);
    if (jwk && !nameFlaw(ownerOf(jwk.kid) as string) && (await hasOwnThumbprint(jwk).catch(() => false))) found.push(jwk);
  }
  return found;
}
