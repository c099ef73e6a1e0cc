import type { Host } from '@talaria/base';
import type { Envelope } from './envelope.ts';

/** A delivery that was taken, and is held until `holdMs` have passed without `extend`. */
export interface Taken {
  readonly envelope: Envelope;
  /** 1 for the first. */
  readonly attempt: number;
  /** Proves that it is still held; means nothing else. */
  readonly receipt: string;
}

/** A delivery that failed too often. It stays until it is requeued. */
export interface DeadLetter {
  readonly group: string;
  readonly envelope: Envelope;
  readonly attempts: number;
  readonly error: string;
  /** RFC 3339. */
  readonly since: string;
}

/** Moves envelopes from publishers to groups of subscribers, at least once. Within a group each goes to one instance. */
export interface Broker {
  /** Resolves when it works; waits for a server that comes up later until `signal` aborts. */
  start(host: Host, signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
  /** All or none. An id that was published before is not published again. */
  publish(envelopes: readonly Envelope[]): Promise<void>;
  /** From now on the group gets the events of these types, also those published while none of its instances run. */
  subscribe(group: string, types: readonly string[]): Promise<void>;
  /** Takes up to `most` deliveries that are due; they are held for `holdMs`, then due again. */
  take(group: string, options: { readonly most: number; readonly holdMs: number }): Promise<Taken[]>;
  /** Holds it for `holdMs` from now on. False if it is no longer held. */
  extend(group: string, taken: Taken, holdMs: number): Promise<boolean>;
  /** Done. */
  acknowledge(group: string, taken: Taken): Promise<void>;
  /** Failed: due again after `retryInMs`, or dead if that is undefined. */
  reject(group: string, taken: Taken, error: string, retryInMs: number | undefined): Promise<void>;
  /** The oldest first. */
  deadLetters(group: string, limit: number): Promise<DeadLetter[]>;
  /** Makes dead letters due again, all or the one of an event; answers how many. */
  requeue(group: string, eventId?: string): Promise<number>;
  /** Calls `listener` when there may be something to take for the group: a hint, sooner than the next poll. The answer stops it. */
  onDue(group: string, listener: () => void): () => void;
  /** Forgets some of what nobody needs any more. Called now and then; answers whether there is more. */
  prune(): Promise<boolean>;
}
