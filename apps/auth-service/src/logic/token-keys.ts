import { generateTokenKey, tokenKeyFrom, type JWK, type TokenKey } from '@talaria/auth';
import { detached, type Clock } from '@talaria/service';
import { type KeyStorage } from '../storage/key-storage.ts';

/** After this long, in ms, it is looked up anew which key signs: another instance may have retired it. */
const ACTIVE_FOR_MS = 60_000;

/** For how long after its retirement a key verifies, in ms: longer than what it has signed is valid. */
const RETIRED_FOR_MS = 2 * 3_600_000;

/** The keys of access tokens and passports, the same in all instances and after every restart. */
export interface TokenKeys {
  /** The one that signs; made when there is none yet. */
  signing(): Promise<TokenKey>;
  /** The public ones that verify. */
  published(): Promise<readonly JWK[]>;
}

/** Keys in `storage`. */
export function createTokenKeys(storage: KeyStorage, clock: Clock): TokenKeys {
  let active: { readonly key: Promise<TokenKey>; readonly until: number } | undefined;

  async function load(): Promise<TokenKey> {
    let jwk = await storage.active();
    if (!jwk) {
      // Of several instances that get here together one wins, and all read what it wrote.
      await storage.addFirst(await generateTokenKey());
      jwk = await storage.active();
    }
    if (!jwk) throw new Error('There is no active signing key, though one was just added.');
    return tokenKeyFrom(jwk);
  }

  function signing(): Promise<TokenKey> {
    const now = clock.monotonic();
    if (!active || now >= active.until) {
      const key = detached(load);
      const current = { key, until: now + ACTIVE_FOR_MS };
      active = current;
      key.catch(() => {
        if (active === current) active = undefined;
      });
    }
    return active.key;
  }

  return {
    signing,
    async published() {
      await signing();
      return storage.published(new Date(clock.now() - RETIRED_FOR_MS));
    },
  };
}
