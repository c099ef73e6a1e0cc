import { importJWK, type CryptoKey, type JWK } from 'jose';

/** A key that verifies signatures. */
export interface PublicKey {
  /** `<owner>#<thumbprint>`. */
  readonly kid: string;
  /** The only issuer that it may sign for: a service such as `service.account`, or `TOKEN_ISSUER`. */
  readonly owner: string;
  readonly key: CryptoKey;
  /** Public parts only. */
  readonly jwk: JWK;
}

/** The owner that a key id names, or undefined if it has not the form `<owner>#<thumbprint>`. */
export function ownerOf(kid: string): string | undefined {
  const at = kid.indexOf('#');
  return at > 0 && at === kid.lastIndexOf('#') && at < kid.length - 1 ? kid.slice(0, at) : undefined;
}

/** The public parts of an Ed25519 key; undefined for any other kind of key and for one without a kid of ours. */
export function publicJwk(jwk: unknown): (JWK & { kid: string; x: string }) | undefined {
  const { kty, crv, x, kid } = (jwk ?? {}) as Record<string, unknown>;
  if (kty !== 'OKP' || crv !== 'Ed25519' || typeof x !== 'string' || typeof kid !== 'string' || !ownerOf(kid)) return undefined;
  return { kty, crv, x, kid, alg: 'EdDSA', use: 'sig' };
}

async function publicKey(jwk: unknown): Promise<PublicKey | undefined> {
  const found = publicJwk(jwk);
  const owner = found && ownerOf(found.kid);
  if (!found || !owner) return undefined;
  try {
    return { kid: found.kid, owner, key: (await importJWK(found, 'EdDSA')) as CryptoKey, jwk: found };
  } catch {
    // One unusable key must not take the others away.
    return undefined;
  }
}

/**
 * The usable keys of a JWK Set (RFC 7517), by kid. Keys of other kinds are passed over, as section 5 of the RFC asks.
 * Throws if it is not a JWK Set.
 */
export async function parseJwks(jwks: unknown): Promise<ReadonlyMap<string, PublicKey>> {
  const value: unknown = typeof jwks === 'string' ? JSON.parse(jwks) : jwks;
  const keys = (value as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys)) throw new TypeError('not a JWK Set: an object with an array "keys" is expected');
  const parsed = await Promise.all(keys.map(publicKey));
  return new Map(parsed.flatMap((key) => (key ? [[key.kid, key]] : [])));
}
