import type { Priority } from '@talaria/rpc';
import type { RefusalReason } from './refusals.ts';

/** What an admission does now, and what it has done since the process began. */
export interface AdmissionState {
  /** How many calls may be in flight before some are refused. */
  readonly limit: number;
  /** Whether the server is short of something: only then is the limit found out, and below `max`. */
  readonly isShort: boolean;
  /** Calls in flight that count: exempt ones do not, nor do streams that have begun to answer. */
  readonly inFlight: number;
  /** Streams that have begun to answer. */
  readonly streams: number;
  /** Calls that wait for a rate. */
  readonly queued: number;
  /** Calls that were taken. */
  readonly admitted: number;
  /** Calls that were refused. */
  readonly refused: number;
  /** Refused calls by why. */
  readonly refusedBy: Readonly<Partial<Record<RefusalReason, number>>>;
  /** Calls by how much they matter. */
  readonly priorities: Readonly<Record<Priority, { readonly admitted: number; readonly refused: number }>>;
  /** Those with most calls in flight first, ten at most. */
  readonly callers: readonly { readonly name: string; readonly inFlight: number; readonly admitted: number; readonly refused: number }[];
  /** How long answered calls took of late, in ms; undefined if there were none. */
  readonly rttMs: number | undefined;
}
