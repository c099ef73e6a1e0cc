import { type Principal } from '@talaria/context';
import { importJWK, SignJWT, type CryptoKey, type JWK } from 'jose';
import { AUDIENCE, EDGE_AUDIENCE, TOKEN_ISSUER } from './names.ts';
import { generateKey, type KeyPairJwks } from './service-key.ts';

/** How long a passport is valid at most, in seconds. */
export const PASSPORT_SECONDS = 300;

/** The header `typ` of access tokens (RFC 9068) and of passports: neither can be taken for the other. */
export const ACCESS_TOKEN_TYPE = 'at+jwt';
export const PASSPORT_TYPE = 'passport+jwt';

/** A key that signs access tokens and passports: auth-service's alone. */
export interface TokenKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
}

/** What is said of a principal, and until when. */
export interface TokenClaims {
  readonly principal: Principal;
  /** Seconds since the Unix epoch. */
  readonly issuedAt: number;
  /** Seconds since the Unix epoch. */
  readonly expiresAt: number;
  /** Names the token. */
  readonly id: string;
}

/** A new key for tokens. */
export function generateTokenKey(): Promise<KeyPairJwks> {
  return generateKey(TOKEN_ISSUER);
}

/** Reads a private JWK that {@link generateTokenKey} made. */
export async function tokenKeyFrom(jwk: JWK & { readonly kid: string }): Promise<TokenKey> {
  return { kid: jwk.kid, privateKey: (await importJWK(jwk, 'EdDSA')) as CryptoKey };
}

function sign(key: TokenKey, typ: string, audience: string, { principal, issuedAt, expiresAt, id }: TokenClaims): Promise<string> {
  return new SignJWT({ client_id: principal.clientId, scope: principal.scopes.join(' ') })
    .setProtectedHeader({ alg: 'EdDSA', typ, kid: key.kid })
    .setIssuer(TOKEN_ISSUER)
    .setSubject(principal.id)
    .setAudience(audience)
    .setJti(id)
    .setIssuedAt(issuedAt)
    .setExpirationTime(expiresAt)
    .sign(key.privateKey);
}

/** Signs a customer's access token, with the claims of RFC 9068. */
export function signAccessToken(key: TokenKey, claims: TokenClaims): Promise<string> {
  return sign(key, ACCESS_TOKEN_TYPE, EDGE_AUDIENCE, claims);
}

/** Signs a passport. Throws if it would be valid for longer than a passport may. */
export function signPassport(key: TokenKey, claims: TokenClaims): Promise<string> {
  if (claims.expiresAt - claims.issuedAt > PASSPORT_SECONDS) throw new RangeError(`A passport is valid for ${PASSPORT_SECONDS} s at most.`);
  return sign(key, PASSPORT_TYPE, AUDIENCE, claims);
}
