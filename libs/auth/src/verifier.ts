import { systemClock, type Clock } from '@talaria/base';
import { type Caller, type Principal } from '@talaria/context';
import { ServiceError, unauthorized } from '@talaria/errors';
import { errors, jwtVerify, type JWTPayload, type JWTVerifyResult } from 'jose';
import { boundedCache } from './bounded-cache.ts';
import { ACCESS_TOKEN_TYPE, PASSPORT_SECONDS, PASSPORT_TYPE } from './customer-tokens.ts';
import { type FindOptions, type KeySource } from './key-source.ts';
import { AUDIENCE, EDGE_AUDIENCE, TOKEN_ISSUER } from './names.ts';
import { ownerOf } from './public-key.ts';
import { SERVICE_TOKEN_SECONDS } from './service-tokens.ts';

/** By how much the clocks of two machines may differ, in seconds. */
const CLOCK_TOLERANCE_SECONDS = 5;

/** Metadata of a call is 8 KiB at most, by gRPC's default; no token of ours comes near this. */
const MAX_TOKEN_CHARACTERS = 8192;

/** What a passport or an access token proves. */
export interface VerifiedToken {
  readonly principal: Principal;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
}

/**
 * Verifies tokens, each once: a verified one is remembered until it expires. All reject with `unauthorized.expired_token`,
 * `unauthorized.invalid_token`, or, when the keys cannot be had, `unavailable.auth`.
 */
export interface Verifier {
  /** A service token: who calls. */
  serviceToken(token: string, options?: FindOptions): Promise<Caller>;
  /** Who calls, if the service token was verified before and is still good: for what cannot wait. Cheap, and never throws. */
  peek(serviceToken: string): Caller | undefined;
  /** A passport: on whose behalf. */
  passport(token: string, options?: FindOptions): Promise<VerifiedToken>;
  /** A customer's access token, at the edge. */
  accessToken(token: string, options?: FindOptions): Promise<VerifiedToken>;
}

/** One kind of token. */
interface Kind<T> {
  readonly name: string;
  readonly audience: string;
  readonly typ?: string;
  /** The longest validity, in seconds; one that claims more is not ours. */
  readonly longest: number;
  /** Whether keys of `owner` sign such tokens. */
  readonly signs: (owner: string) => boolean;
  readonly read: (claims: JWTPayload, expiresAt: number) => T | undefined;
}

/** A token that was verified. */
interface Verified<T> {
  readonly value: T;
  readonly expiresAt: number;
}

function readPrincipal({ sub, client_id: clientId, scope }: JWTPayload, expiresAt: number): VerifiedToken | undefined {
  if (!sub || typeof clientId !== 'string' || typeof scope !== 'string') return undefined;
  return { principal: { id: sub, clientId, scopes: scope.split(' ').filter((one) => one !== '') }, expiresAt };
}

const SERVICE_TOKEN: Kind<Caller> = {
  name: 'service token',
  audience: AUDIENCE,
  longest: SERVICE_TOKEN_SECONDS,
  signs: (owner) => owner !== TOKEN_ISSUER,
  read: ({ sub, iss, edge }) => (sub === iss && sub !== undefined ? { service: sub, edge: edge === true } : undefined),
};

const PASSPORT: Kind<VerifiedToken> = {
  name: 'passport',
  audience: AUDIENCE,
  typ: PASSPORT_TYPE,
  longest: PASSPORT_SECONDS,
  signs: (owner) => owner === TOKEN_ISSUER,
  read: readPrincipal,
};

const ACCESS_TOKEN: Kind<VerifiedToken> = {
  name: 'access token',
  audience: EDGE_AUDIENCE,
  typ: ACCESS_TOKEN_TYPE,
  longest: Infinity,
  signs: (owner) => owner === TOKEN_ISSUER,
  read: readPrincipal,
};

function refusal(name: string, error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof errors.JWTExpired) return unauthorized('expired_token', `The ${name} has expired: get a new one.`, { cause: error });
  return unauthorized('invalid_token', `The ${name} is not valid.`, { cause: error });
}

/** Makes a verifier on `keys`. It remembers up to `maxCached` (default 10,000) verified tokens of each kind. */
export function tokenVerifier(keys: KeySource, options: { readonly clock?: Clock; readonly maxCached?: number } = {}): Verifier {
  const { clock = systemClock, maxCached = 10_000 } = options;

  async function check<T>(kind: Kind<T>, token: string, find: FindOptions | undefined): Promise<Verified<T>> {
    if (token.length > MAX_TOKEN_CHARACTERS) throw new TypeError('too long');
    const now = clock.now();
    let issuer: string | undefined;
    const { payload }: JWTVerifyResult = await jwtVerify(
      token,
      async ({ kid }) => {
        // A key signs for its owner alone, and only tokens of its kind: known before the key is looked for.
        issuer = kid === undefined ? undefined : ownerOf(kid);
        if (kid === undefined || issuer === undefined || !kind.signs(issuer)) throw new TypeError('no key of ours signs such tokens');
        const key = await keys.find(kid, find);
        if (!key || key.owner !== issuer) throw new TypeError('no such key');
        return key.key;
      },
      {
        algorithms: ['EdDSA'],
        audience: kind.audience,
        requiredClaims: ['iss', 'sub', 'aud', 'exp'],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(now),
        ...(kind.typ === undefined ? {} : { typ: kind.typ }),
      },
    );
    const exp = payload.exp as number;
    if (payload.iss !== issuer) throw new TypeError('the issuer does not own the key');
    if (exp - now / 1000 > kind.longest + CLOCK_TOLERANCE_SECONDS) throw new TypeError('valid for longer than its kind may be');
    const value = kind.read(payload, exp * 1000);
    if (value === undefined) throw new TypeError('claims are missing');
    return { value, expiresAt: exp * 1000 };
  }

  function verify<T>(kind: Kind<T>, verified = boundedCache<Verified<T>>(maxCached)): (token: string, find?: FindOptions) => Promise<T> {
    return async (token, find) => {
      const hit = verified.get(token);
      if (hit && clock.now() < hit.expiresAt) return hit.value;
      verified.delete(token);
      try {
        const result = await check(kind, token, find);
        verified.set(token, result);
        return result.value;
      } catch (error) {
        throw refusal(kind.name, error);
      }
    };
  }

  const callers = boundedCache<Verified<Caller>>(maxCached);
  return {
    serviceToken: verify(SERVICE_TOKEN, callers),
    peek(token) {
      const hit = callers.peek(token);
      return hit && clock.now() < hit.expiresAt ? hit.value : undefined;
    },
    passport: verify(PASSPORT),
    accessToken: verify(ACCESS_TOKEN),
  };
}
