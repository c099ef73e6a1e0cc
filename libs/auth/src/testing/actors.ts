import { type Principal } from '@talaria/context';
import { SignJWT, type JWK } from 'jose';
import { generateTokenKey, tokenKeyFrom, type TokenKey } from '../customer-tokens.ts';
import { staticKeys, type KeySource } from '../key-source.ts';
import { generateServiceKey, serviceKeyFrom, type ServiceKey } from '../service-key.ts';

/** Keys of auth-service and of two services, and the source that knows them all. */
export interface Actors {
  readonly tokenKey: TokenKey;
  readonly account: ServiceKey;
  readonly gateway: ServiceKey;
  readonly jwks: { readonly keys: JWK[] };
  readonly keys: KeySource;
}

/** Someone with two scopes. */
export const peter: Principal = { id: 'user_peter', clientId: 'client_1', scopes: ['accounts:read', 'accounts:write'] };

/** Makes them all anew. */
export async function actors(): Promise<Actors> {
  const tokens = await generateTokenKey();
  const account = await generateServiceKey('service.account');
  const gateway = await generateServiceKey('api.gateway');
  const jwks = { keys: [tokens.publicJwk, account.publicJwk, gateway.publicJwk] };
  return {
    tokenKey: await tokenKeyFrom(tokens.privateJwk),
    account: await serviceKeyFrom(account.privateJwk),
    gateway: await serviceKeyFrom(gateway.privateJwk),
    jwks,
    keys: await staticKeys(jwks),
  };
}

/** Seconds since the Unix epoch. */
export function seconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** A token with any header and claims, signed by `key`; those of a passport unless they are given. */
export function forge(key: Pick<TokenKey, 'kid' | 'privateKey'>, claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}): Promise<string> {
  const all = { iss: 'talaria', aud: 'talaria', sub: peter.id, client_id: peter.clientId, scope: 'accounts:read', exp: seconds() + 60, ...claims };
  return new SignJWT(all).setProtectedHeader({ alg: 'EdDSA', typ: 'passport+jwt', kid: key.kid, ...header }).sign(key.privateKey);
}

/** Parts of a token that nobody signed. */
export function unsigned(header: object, claims: object, signature = ''): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.${signature}`;
}
