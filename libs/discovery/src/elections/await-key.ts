import { sleep, type Clock } from '@talaria/base';
import type { WatchedKeys } from './watched-keys.ts';

/** When nothing was heard of a key for this long it is looked at again, in ms: no watch has to be perfect. */
const LOOK_AGAIN_MS = 5_000;

/** What a look has found: something, or after how many ms at the latest to look again (0: at once). */
export type Look<T> = { readonly found: T } | { readonly againInMs: number };

/** Nothing to be found before the key goes. */
export const notYet = { againInMs: LOOK_AGAIN_MS } as const;

/** Resolves with what `look` finds: looks now, whenever the key goes, and as often as the looks themselves say. Rejects with the signal's reason. */
export async function awaitKey<T>(keys: WatchedKeys, key: string, { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal }, look: () => Promise<Look<T>>): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    // Listened to before the look, so that no change is missed.
    const changed = new AbortController();
    const stop = keys.onChange(key, (entry) => entry === undefined && changed.abort());
    try {
      const result = await look();
      if ('found' in result) return result.found;
      if (result.againInMs > 0) await sleep(result.againInMs, { clock, signal: AbortSignal.any([signal, changed.signal]) }).catch(() => {});
    } finally {
      stop();
    }
  }
}
