import type { JWK } from '@talaria/auth';

/** How an instance answers from now on; nothing: as it should. */
export interface Behaviour {
  /** Each answer takes so much longer, in ms. */
  readonly delayMs?: number;
  /** The share of calls that fail with UNAVAILABLE, from 0 to 1. */
  readonly unavailable?: number;
  /** The share of calls that fail with NOT_FOUND. */
  readonly notFound?: number;
}

/** What a process is started with. */
export interface ProcessOptions {
  readonly etcd: string;
  readonly privateKey: JWK;
  readonly publicKeys: readonly JWK[];
}

/** What an instance is started with. */
export interface InstanceOptions extends ProcessOptions {
  /** `h2c://127.0.0.1:41234`. */
  readonly listen: string;
  /** Where it writes the ids of what it has executed. */
  readonly executedFile: string;
  /** Calls that it works on at a time. */
  readonly slots: number;
  /** How long each takes, in ms. */
  readonly serviceMs: number;
}

/** Work that takes `ms`, in one of so many slots, first come, first served. */
export function slots(count: number, ms: number): () => Promise<void> {
  let free = count;
  const waiting: (() => void)[] = [];
  return async () => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    await new Promise((resolve) => setTimeout(resolve, ms));
    const next = waiting.shift();
    if (next) next();
    else free++;
  };
}
