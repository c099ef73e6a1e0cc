import { detached } from '@talaria/context';
import type { AuthServiceDefinition } from '@talaria/contracts/auth/v1/auth';
import type { CallLimits, Client } from '@talaria/rpc';
import { orAborted } from './or-aborted.ts';

/** Gives the passport of a client; whoever waits for it stops when `signal` aborts. */
export type PassportSource = (signal?: AbortSignal) => Promise<string>;

/** A passport is renewed this long before it expires, so that it does not do so on its way. */
const RENEW_MS = 30_000;

/** The passport of a client, got once for all calls that need it, and kept until shortly before it expires. Rejects as auth-service does. */
export function passportSource(auth: Client<AuthServiceDefinition, CallLimits>, clientId: string, secret: string): PassportSource {
  let current: { readonly passport: Promise<string>; renewAt: number } | undefined;
  const fetch = async (): Promise<string> => {
    const { accessToken } = await auth.issueToken({ grantType: 'client_credentials', clientId, clientSecret: secret });
    const { passport, expiresIn } = await auth.exchangeToken({ accessToken });
    if (current) current.renewAt = performance.now() + expiresIn * 1000 - RENEW_MS;
    return passport;
  };
  return (signal) => {
    if (!current || performance.now() >= current.renewAt) {
      // Not within the call that happens to be the first: others wait for it too.
      const fetching = { passport: detached(fetch), renewAt: Infinity };
      current = fetching;
      fetching.passport.catch(() => {
        if (current === fetching) current = undefined;
      });
    }
    return orAborted(current.passport, signal);
  };
}
