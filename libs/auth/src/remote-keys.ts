import { silentLogger, systemClock, type Clock, type Logger } from '@talaria/base';
import { currentCall, detached } from '@talaria/context';
import { unavailable } from '@talaria/errors';
import { type KeySource } from './key-source.ts';
import { parseJwks, type PublicKey } from './public-key.ts';
import { withLimit, withSignal } from './waiting.ts';

/** How remote keys are fetched. */
export interface RemoteKeysOptions {
  /** Gets a JWK Set as JSON; runs outside of every call. The signal aborts when it takes too long. */
  readonly fetch: (signal: AbortSignal) => Promise<string>;
  /** Default: silent. */
  readonly log?: Logger;
  readonly clock?: Clock;
  /** The age, in ms, at which use of the keys starts a refresh in the background. Default 300,000. */
  readonly refreshAfterMs?: number;
  /** How long one fetch may take, in ms. Default 3,000: well below the 10 s that the edge gives a call. */
  readonly fetchTimeoutMs?: number;
  /** The least time between the starts of two fetches, in ms. Default 1,000. */
  readonly minIntervalMs?: number;
}

/** Keys that are fetched, and kept while they cannot be. */
export interface RemoteKeys extends KeySource {
  /** Fetches them now, or joins a fetch that is under way. Rejects with `unavailable.auth`; what was known stays known. */
  refresh(): Promise<void>;
}

/**
 * Keys from auth-service (or its like). A key id that is not known waits for a fetch that starts after it was asked for, so
 * that a new key works at once and a refusal is certain; fetches start at most once in `minIntervalMs`, however many ask.
 */
export function remoteKeys(options: RemoteKeysOptions): RemoteKeys {
  const { fetch, log = silentLogger, clock = systemClock, refreshAfterMs = 300_000, fetchTimeoutMs = 3_000, minIntervalMs = 1_000 } = options;
  let known: ReadonlyMap<string, PublicKey> | undefined;
  let startedAt = -Infinity;
  let fetchedAt = -Infinity;
  let running: Promise<void> | undefined;
  let scheduled: Promise<void> | undefined;

  async function fetchNow(): Promise<void> {
    startedAt = clock.monotonic();
    try {
      known = await parseJwks(await withLimit(clock, fetchTimeoutMs, fetch));
      fetchedAt = clock.monotonic();
    } catch (error) {
      log.warn(known ? 'cannot refresh the keys that verify tokens: the last known ones stay in use' : 'cannot get the keys that verify tokens', { err: error });
      throw unavailable('auth', 'The keys that verify tokens cannot be had now: auth-service does not answer.', { cause: error });
    }
  }

  /** Waits its turn, then fetches. */
  async function inTurn(): Promise<void> {
    await running?.catch(() => {});
    const wait = startedAt + minIntervalMs - clock.monotonic();
    if (wait > 0) await new Promise<void>((resolve) => void clock.after(wait, resolve));
    scheduled = undefined;
    running = fetchNow();
    try {
      await running;
    } finally {
      running = undefined;
    }
  }

  /** A fetch that starts after now; everyone who asks before it starts shares it. While nothing is known, any fetch will do. */
  function nextFetch(): Promise<void> {
    if (!known && running) return running;
    scheduled ??= detached(inTurn);
    return scheduled;
  }

  function refreshInBackground(): void {
    // A failed attempt is not repeated at every use: the age counts from the last start.
    if (scheduled || running || clock.monotonic() - Math.max(fetchedAt, startedAt) < refreshAfterMs) return;
    nextFetch().catch(() => {});
  }

  return {
    async find(kid, { knownOnly = false } = {}) {
      const key = known?.get(kid);
      if (knownOnly) return key;
      if (!key) {
        await withSignal(nextFetch(), currentCall().signal);
        return known?.get(kid);
      }
      refreshInBackground();
      return key;
    },
    keys: () => [...(known?.values() ?? [])],
    refresh: () => withSignal(nextFetch(), currentCall().signal),
  };
}
