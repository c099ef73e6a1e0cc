import { PASSPORT_SECONDS, signAccessToken, signPassport, type Verifier } from '@talaria/auth';
import { badRequest, newId, unauthorized, type Clock } from '@talaria/service';
import { type Clients } from './clients.ts';
import { parseScopes } from './scopes.ts';
import { type TokenKeys } from './token-keys.ts';

/** How long an access token is valid, in seconds. */
export const ACCESS_TOKEN_SECONDS = 3600;

/** What a client asks with (RFC 6749, section 4.4.2). */
export interface TokenRequest {
  readonly grantType: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope: string;
}

/** Issues and exchanges tokens. */
export interface Tokens {
  /**
   * An access token. The last segments of its errors are those of RFC 6749, section 5.2: `bad_request.invalid_request`,
   * `bad_request.unsupported_grant_type`, `unauthorized.invalid_client`, `bad_request.invalid_scope`.
   */
  issue(request: TokenRequest): Promise<{ readonly accessToken: string; readonly expiresIn: number; readonly scope: string }>;
  /** A passport for an access token. Rejects with `unauthorized.invalid_token` or `unauthorized.expired_token`. */
  exchange(accessToken: string): Promise<{ readonly passport: string; readonly expiresIn: number }>;
}

/** Issues tokens to `clients`, signed with `keys`. */
export function createTokens(options: { readonly clients: Clients; readonly keys: TokenKeys; readonly verifier: Pick<Verifier, 'accessToken'>; readonly clock: Clock }): Tokens {
  const { clients, keys, verifier, clock } = options;
  const seconds = (): number => Math.floor(clock.now() / 1000);

  return {
    async issue({ grantType, clientId, clientSecret, scope }) {
      if (grantType === '') throw badRequest('invalid_request', 'grant_type is missing: send client_credentials.', { violations: [{ field: 'grant_type', description: 'is missing' }] });
      if (grantType !== 'client_credentials') {
        throw badRequest('unsupported_grant_type', 'The only grant type is client_credentials.', { violations: [{ field: 'grant_type', description: 'must be client_credentials' }] });
      }
      const client = await clients.authenticate(clientId, clientSecret);
      if (!client) throw unauthorized('invalid_client', 'The client is not known, or its secret is wrong.');

      const wanted = parseScopes(scope);
      const refused = wanted.filter((one) => !client.scopes.includes(one));
      if (refused.length > 0) throw badRequest('invalid_scope', 'The client may not have all of these scopes.', { violations: [{ field: 'scope', description: `may not have ${refused.join(' ')}` }] });
      const scopes = wanted.length > 0 ? wanted : client.scopes;
      const issuedAt = seconds();
      const accessToken = await signAccessToken(await keys.signing(), {
        principal: { id: client.principalId, clientId: client.id, scopes },
        issuedAt,
        expiresAt: issuedAt + ACCESS_TOKEN_SECONDS,
        id: newId('token'),
      });
      return { accessToken, expiresIn: ACCESS_TOKEN_SECONDS, scope: scopes.join(' ') };
    },

    async exchange(accessToken) {
      const { principal, expiresAt } = await verifier.accessToken(accessToken);
      const client = await clients.find(principal.clientId);
      if (client?.principalId !== principal.id) throw unauthorized('invalid_token', 'The client of this token is no longer known.');

      const issuedAt = seconds();
      const expiresIn = Math.min(PASSPORT_SECONDS, Math.floor(expiresAt / 1000) - issuedAt);
      if (expiresIn <= 0) throw unauthorized('expired_token', 'The access token has expired: get a new one.');
      const scopes = principal.scopes.filter((scope) => client.scopes.includes(scope));
      const passport = await signPassport(await keys.signing(), { principal: { ...principal, scopes }, issuedAt, expiresAt: issuedAt + expiresIn, id: newId('passport') });
      return { passport, expiresIn };
    },
  };
}
