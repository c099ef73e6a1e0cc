import { randomInt } from 'node:crypto';

/** How long a token is good after its last use, in ms: etcd's. */
export const TOKEN_TTL_MS = 5 * 60 * 1000;

/** Who has logged in. Tokens live in memory only: after a restart everybody logs in again, as with etcd's simple tokens. */
export interface Tokens {
  /** A new token for a user. */
  issue(user: string): string;
  /** The user of a token, which lives on with this; undefined if there is no such token (any more). */
  userOf(token: string): string | undefined;
  /** Ends the tokens of one user. */
  revokeUser(user: string): void;
  /** Ends all tokens. */
  clear(): void;
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const TOKEN_LENGTH = 16;

/** Makes the tokens of a server; `ttlMs` is how long one is good after its last use. */
export function createTokens(ttlMs: number = TOKEN_TTL_MS): Tokens {
  const tokens = new Map<string, { readonly user: string; expiresAt: number }>();
  let issued = 0;

  const dropExpired = (): void => {
    const now = performance.now();
    for (const [token, { expiresAt }] of tokens) if (expiresAt <= now) tokens.delete(token);
  };

  return {
    issue(user) {
      dropExpired();
      const letters = Array.from({ length: TOKEN_LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join('');
      // etcd's have the index of the log entry here.
      const token = `${letters}.${++issued}`;
      tokens.set(token, { user, expiresAt: performance.now() + ttlMs });
      return token;
    },
    userOf(token) {
      const found = tokens.get(token);
      if (!found || found.expiresAt <= performance.now()) return undefined;
      found.expiresAt = performance.now() + ttlMs;
      return found.user;
    },
    revokeUser(user) {
      for (const [token, owner] of tokens) if (owner.user === user) tokens.delete(token);
    },
    clear: () => tokens.clear(),
  };
}
