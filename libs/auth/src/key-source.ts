import { type JWK } from 'jose';
import { parseJwks, type PublicKey } from './public-key.ts';

/** How a key is looked for. */
export interface FindOptions {
  /** Never waits for anything: a key that is not known yet counts as absent. Default false. */
  readonly knownOnly?: boolean;
}

/** Where the keys come from that verify tokens. */
export interface KeySource {
  /** The key with this id; undefined if there certainly is none. Rejects with `unavailable.auth` if that cannot be known now. */
  find(kid: string, options?: FindOptions): Promise<PublicKey | undefined>;
  /** All that are known now. */
  keys(): readonly PublicKey[];
}

/** Keys that never change, from a JWK Set. Rejects if it is not one. */
export async function staticKeys(jwks: string | { readonly keys: readonly JWK[] }): Promise<KeySource> {
  const known = await parseJwks(jwks);
  return { find: (kid) => Promise.resolve(known.get(kid)), keys: () => [...known.values()] };
}
