import { systemClock, type Clock } from '@talaria/base';
import { detached } from '@talaria/context';
import { SignJWT } from 'jose';
import { AUDIENCE } from './names.ts';
import { type ServiceKey } from './service-key.ts';

/** How long a service token is valid, in seconds. */
export const SERVICE_TOKEN_SECONDS = 300;

/** The validity left, in ms, at which a new one is signed: well above any deadline, so that no token expires on its way. */
const RENEW_AT_MS = 90_000;

/** The tokens with which a service proves itself as caller. */
export interface ServiceTokens {
  /** Such as `service.account`. */
  readonly service: string;
  /** One that is valid for a minute at least. */
  token(): Promise<string>;
}

/** Signs service tokens, each used until shortly before it expires. */
export function serviceTokens(key: ServiceKey, options: { readonly edge?: boolean; readonly clock?: Clock } = {}): ServiceTokens {
  const { edge = false, clock = systemClock } = options;
  let current: { readonly token: Promise<string>; readonly renewAt: number } | undefined;

  function sign(now: number): Promise<string> {
    const issued = Math.floor(now / 1000);
    return new SignJWT({ edge })
      .setProtectedHeader({ alg: 'EdDSA', kid: key.kid })
      .setIssuer(key.service)
      .setSubject(key.service)
      .setAudience(AUDIENCE)
      .setIssuedAt(issued)
      .setExpirationTime(issued + SERVICE_TOKEN_SECONDS)
      .sign(key.privateKey);
  }

  return {
    service: key.service,
    token() {
      const now = clock.now();
      if (!current || now >= current.renewAt) {
        current = { token: detached(() => sign(now)), renewAt: now + SERVICE_TOKEN_SECONDS * 1000 - RENEW_AT_MS };
      }
      return current.token;
    },
  };
}
