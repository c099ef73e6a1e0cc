import type { Checker } from './checker.ts';
import type { Elections } from './election.ts';
import type { Logger } from './logger.ts';
import type { SharedDocuments } from './shared-documents.ts';

/** What a capability may know of the service that it is part of. */
export interface Host {
  /** Such as `service.account`. */
  readonly service: string;
  /** The id of this instance. */
  readonly instance: string;
  readonly log: Logger;
  /** The environment, where settings come from. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the instances of the service elect one of them. Undefined for a capability that was started by hand. */
  readonly elections?: Elections;
  /** What all services of the platform share. Undefined where there is no store, and for a capability that was started by hand. */
  readonly documents?: SharedDocuments;
}

/** Something that a service is given (storage, messaging): started before it serves, stopped after it has drained. */
export interface Capability {
  /** Such as `storage`. */
  readonly name: string;
  /** Resolves when it works. Waits for peers that come up later until `signal` aborts; rejects for settings that are wrong. */
  start(host: Host, signal: AbortSignal): Promise<void>;
  /** Resolves when everything that it holds is released. */
  stop(): Promise<void>;
  /** What tells whether it is well. */
  readonly checkers: readonly Checker[];
}
