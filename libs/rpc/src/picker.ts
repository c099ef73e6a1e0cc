import type { Endpoint } from './resolver.ts';
import type { Connection, WireMethod } from './transport.ts';

/** An endpoint with the connection to it. */
export interface Candidate {
  readonly endpoint: Endpoint;
  readonly connection: Connection;
}

/** What a picker may go by. */
export interface PickInfo {
  readonly method: WireMethod;
  /** Those that failed earlier attempts of this call. */
  readonly tried: ReadonlySet<Candidate>;
}

/** How an attempt ended, for pickers that learn. */
export interface PickResult {
  readonly durationMs: number;
  /** Absent for a success. */
  readonly error?: unknown;
}

/** Says who is best now, for one contract of one client. Every attempt picks again. */
export interface Picker {
  /** One of `candidates` (never empty), by preference one that was not tried. */
  pick(candidates: readonly Candidate[], info: PickInfo): Candidate;
  /** Told after each attempt. */
  done?(candidate: Candidate, result: PickResult): void;
}
