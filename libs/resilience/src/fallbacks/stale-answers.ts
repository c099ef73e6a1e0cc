import { createHash } from 'node:crypto';
import { systemClock, type Clock } from '@talaria/base';
import { currentCall } from '@talaria/context';
import type { ContractMethod } from '@talaria/rpc';
import type { StaleFallback } from './fallback.ts';

/** The last good answers of one method, encoded: nobody can change them, and they are small. */
export interface StaleAnswers {
  /** What the answer to a request is kept by: the principal of the running call is part of it. Undefined for a request that cannot be encoded. */
  keyOf(request: unknown): string | undefined;
  keep(key: string, response: unknown): void;
  /** The answer, if there is one that is not too old. */
  find(key: string): unknown;
  /** There is no such thing any more, or it is not for this principal. */
  forget(key: string): void;
}

interface Kept {
  readonly bytes: Uint8Array;
  readonly at: number;
}

/** Longer keys are hashed. */
const LONGEST_KEY = 256;

/** Whose answers these are. Scopes and client too: with less of them, a principal may see less. */
function owner(): string {
  const { principal } = currentCall();
  return principal ? JSON.stringify([principal.id, principal.clientId, principal.scopes]) : '';
}

/** Keeps none yet. */
export function staleAnswersOf(method: ContractMethod, fallback: StaleFallback<unknown>, clock: Clock = systemClock): StaleAnswers {
  const { maxAgeMs, max = 1_000, maxBytes = 16 * 1024 * 1024, key, shared = false } = fallback;
  const { definition } = method;
  // A Map iterates in the order of insertion: the first key is the one that was not used for longest.
  const kept = new Map<string, Kept>();
  let size = 0;

  const encoded = (request: unknown): string | undefined => {
    try {
      return Buffer.from(definition.requestSerialize(request)).toString('latin1');
    } catch {
      // The call itself says what is wrong with it.
      return undefined;
    }
  };
  const forget = (name: string): void => {
    size -= kept.get(name)?.bytes.length ?? 0;
    kept.delete(name);
  };
  return {
    keyOf(request) {
      const own = key ? key(request) : encoded(request);
      if (own === undefined) return undefined;
      const name = `${shared ? '' : owner()}\0${own}`;
      return name.length > LONGEST_KEY ? createHash('sha256').update(name).digest('base64') : name;
    },
    keep(name, response) {
      const bytes = definition.responseSerialize(response);
      forget(name);
      if (bytes.length > maxBytes) return;
      kept.set(name, { bytes, at: clock.monotonic() });
      size += bytes.length;
      while (kept.size > max || size > maxBytes) forget(kept.keys().next().value as string);
    },
    find(name) {
      const found = kept.get(name);
      if (!found) return undefined;
      if (clock.monotonic() - found.at > maxAgeMs) {
        forget(name);
        return undefined;
      }
      kept.delete(name);
      kept.set(name, found);
      return definition.responseDeserialize(found.bytes) as unknown;
    },
    forget,
  };
}
