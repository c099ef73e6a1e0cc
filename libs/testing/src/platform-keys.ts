import { generateServiceKey, generateTokenKey, serviceKeyFrom, signPassport, staticKeys, tokenKeyFrom, type KeySource, type ServiceKey } from '@talaria/auth';
import { newId } from '@talaria/base';
import type { Principal } from '@talaria/context';

/** The keys of a platform in one process: what `serve` and auth-service keep elsewhere. */
export interface PlatformKeys extends KeySource {
  /** The key of a service, made when it is first asked for. */
  of(service: string): Promise<ServiceKey>;
  /** A passport for a principal. */
  passport(principal: Principal, options?: { readonly seconds?: number; readonly issuedAt?: number }): Promise<string>;
}

/** How long a passport of a test is valid: a little less than one from auth-service. */
export const PASSPORT_SECONDS = 240;

/** Makes a platform's keys. */
export async function createPlatformKeys(): Promise<PlatformKeys> {
  const token = await generateTokenKey();
  const signer = await tokenKeyFrom(token.privateJwk);
  const jwks = [token.publicJwk];
  const made = new Map<string, Promise<ServiceKey>>();
  let source = staticKeys({ keys: jwks });
  let current = await source;

  const make = async (service: string): Promise<ServiceKey> => {
    const { privateJwk, publicJwk } = await generateServiceKey(service);
    jwks.push(publicJwk);
    source = staticKeys({ keys: [...jwks] });
    current = await source;
    return serviceKeyFrom(privateJwk);
  };
  return {
    of(service) {
      const key = made.get(service) ?? make(service);
      made.set(service, key);
      return key;
    },
    async find(kid) {
      await Promise.all(made.values());
      return (await source).find(kid);
    },
    keys: () => current.keys(),
    passport(principal, { seconds = PASSPORT_SECONDS, issuedAt = Math.floor(Date.now() / 1000) } = {}) {
      return signPassport(signer, { principal, issuedAt, expiresAt: issuedAt + seconds, id: newId('passport') });
    },
  };
}
