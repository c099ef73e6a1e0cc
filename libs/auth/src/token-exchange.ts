import { silentLogger, systemClock, type Clock, type Logger } from '@talaria/base';
import { currentCall, detached, type Principal } from '@talaria/context';
import { hasCode, unavailable } from '@talaria/errors';
import { boundedCache } from './bounded-cache.ts';
import { type Verifier } from './verifier.ts';
import { withLimit, withSignal } from './waiting.ts';

/** Validity left, in ms, below which a passport is no longer handed out: it must outlast the deadline of the call. */
const LEAST_LEFT_MS = 15_000;

/** Validity left, in ms, at which use of a passport gets the next one in the background. */
const RENEW_AT_MS = 60_000;

/** The least time between two renewals of one passport, in ms: those of a token near its end stay short, and auth-service may be away. */
const RENEW_AGAIN_MS = 5_000;

/** How long an exchange may take, in ms. */
const EXCHANGE_LIMIT_MS = 5_000;

/** What stands for a customer behind the edge. */
export interface Exchanged {
  readonly passport: string;
  readonly principal: Principal;
}

/** Swaps customers' tokens for passports. */
export interface TokenExchange {
  /** Rejects with `unauthorized.expired_token`, `unauthorized.invalid_token`, or `unavailable.auth` when auth-service is away. */
  passportFor(accessToken: string): Promise<Exchanged>;
}

/** How tokens are exchanged. */
export interface TokenExchangeOptions {
  readonly verifier: Verifier;
  /** `AuthService.ExchangeToken`; `expiresIn` in seconds. Runs outside of every call. */
  readonly exchange: (accessToken: string, signal: AbortSignal) => Promise<{ readonly passport: string; readonly expiresIn: number }>;
  /** Default: silent. */
  readonly log?: Logger;
  readonly clock?: Clock;
  /** How many passports are kept. Default 10,000. */
  readonly maxCached?: number;
}

interface Cached extends Exchanged {
  readonly expiresAt: number;
  readonly renewAt: number;
}

/**
 * Verifies a customer's token here and swaps it at auth-service, once for all calls that bring it: a passport is kept until
 * shortly before it expires, so auth-service may be away for that long.
 */
export function createTokenExchange(options: TokenExchangeOptions): TokenExchange {
  const { verifier, exchange, log = silentLogger, clock = systemClock, maxCached = 10_000 } = options;
  const cache = boundedCache<Cached>(maxCached);
  const running = new Map<string, Promise<Cached>>();

  async function swap(token: string): Promise<Cached> {
    const askedAt = clock.now();
    const { principal } = await verifier.accessToken(token);
    try {
      const { passport, expiresIn } = await withLimit(clock, EXCHANGE_LIMIT_MS, (signal) => exchange(token, signal));
      const expiresAt = askedAt + expiresIn * 1000;
      const got: Cached = { passport, principal, expiresAt, renewAt: Math.max(expiresAt - RENEW_AT_MS, askedAt + RENEW_AGAIN_MS) };
      cache.set(token, got);
      return got;
    } catch (error) {
      // Only auth-service's own word on the token is the customer's business; that it cannot be asked is ours.
      if (hasCode(error, 'unauthorized.invalid_token') || hasCode(error, 'unauthorized.expired_token')) {
        cache.delete(token);
        throw error;
      }
      throw unavailable('auth', 'The token cannot be checked now: auth-service does not answer.', { cause: error });
    }
  }

  function swapOnce(token: string): Promise<Cached> {
    let swapping = running.get(token);
    if (!swapping) {
      swapping = detached(() => swap(token)).finally(() => running.delete(token));
      running.set(token, swapping);
    }
    return swapping;
  }

  return {
    async passportFor(token) {
      const cached = cache.get(token);
      const now = clock.now();
      if (!cached || cached.expiresAt - now < LEAST_LEFT_MS) return withSignal(swapOnce(token), currentCall().signal);
      if (now >= cached.renewAt) {
        cache.set(token, { ...cached, renewAt: now + RENEW_AGAIN_MS });
        swapOnce(token).catch((error: unknown) => log.debug('cannot renew a passport yet', { err: error }));
      }
      return cached;
    },
  };
}
