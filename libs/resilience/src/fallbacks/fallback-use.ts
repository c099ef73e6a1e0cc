import { systemClock, type Checker, type Clock } from '@talaria/base';
import type { FallbackKind } from './fallback.ts';

/** How often a fallback was used. */
export interface FallbackStats {
  /** `account.v1.AccountService/GetAccount`. */
  readonly method: string;
  readonly kind: FallbackKind;
  /** Since the start. */
  readonly used: number;
  /** How long ago it was used last, in ms; undefined if never. */
  readonly lastUsedMs: number | undefined;
}

/** Counts the fallbacks of one program. */
export interface FallbackUse {
  /** A fallback is there, from now on. */
  declare(method: string, kind: FallbackKind): void;
  /** It was used. */
  used(method: string, kind: FallbackKind, code: string): void;
  describe(): readonly FallbackStats[];
  /** `fallbacks`: fails while one was used within the last minute, with counts. Not critical. */
  readonly checker: Checker;
}

const A_MINUTE_MS = 60_000;

/** Counts nothing yet. */
export function createFallbackUse({ clock = systemClock }: { readonly clock?: Clock | undefined } = {}): FallbackUse {
  const counts = new Map<string, { readonly method: string; readonly kind: FallbackKind; used: number; at: number | undefined; code: string }>();
  const of = (method: string, kind: FallbackKind) => {
    const key = `${method};${kind}`;
    const found = counts.get(key) ?? { method, kind, used: 0, at: undefined, code: '' };
    counts.set(key, found);
    return found;
  };
  return {
    declare: (method, kind) => void of(method, kind),
    used(method, kind, code) {
      const count = of(method, kind);
      count.used += 1;
      count.at = clock.monotonic();
      count.code = code;
    },
    describe: () => [...counts.values()].map(({ method, kind, used, at }) => ({ method, kind, used, lastUsedMs: at === undefined ? undefined : clock.monotonic() - at })),
    checker: {
      name: 'fallbacks',
      check() {
        const lately = [...counts.values()].filter(({ at }) => at !== undefined && clock.monotonic() - at <= A_MINUTE_MS);
        if (lately.length === 0) return Object.fromEntries([...counts.values()].map(({ method, used }) => [method, used]));
        const each = lately.map(({ method, kind, used, code }) => `${method} (${kind}, ${used} since the start, last for ${code})`);
        throw new Error(`Fallbacks answer instead of ${each.join(', ')}`);
      },
    },
  };
}
