import { wireDetails } from '@talaria/errors';
import { Status, TransportError } from '@talaria/rpc';

/** What a failed call says beyond its status. */
export interface PeerSays {
  /** The dotted code; undefined where the peer is none of ours. */
  readonly code: string | undefined;
  /** Whether a repeat may succeed. */
  readonly retryable: boolean;
  /** How long a repeat should wait at least, in ms; negative: there should be none. */
  readonly retryAfterMs: number | undefined;
  /** How often it was tried below. */
  readonly attempts: number;
}

const DETAILS_KEY = 'grpc-status-details-bin';
/** gRPC's own pushback. Source: https://github.com/grpc/proposal/blob/master/A6-client-retries.md#pushback */
const PUSHBACK_KEY = 'grpc-retry-pushback-ms';
const NOTHING: PeerSays = { code: undefined, retryable: true, retryAfterMs: undefined, attempts: 0 };

/** Reads the details of an error. */
export function peerSays({ code, trailer }: TransportError): PeerSays {
  const pushback = trailer.get(PUSHBACK_KEY);
  // What is no number means that no retry is wanted.
  const pushbackMs = typeof pushback === 'string' ? (/^\d+$/.test(pushback) ? Number(pushback) : -1) : undefined;
  if (!trailer.has(DETAILS_KEY)) return pushbackMs === undefined ? NOTHING : { ...NOTHING, retryAfterMs: pushbackMs };
  const { code: dotted, retryable, retryAfterMs, attempts } = wireDetails(code, trailer);
  return { code: dotted, retryable, retryAfterMs: pushbackMs ?? retryAfterMs, attempts };
}

/** What a call that is over says of whom it went to; `neutral`: nothing. */
export type Verdict = 'success' | 'failure' | 'neutral';

/** A call that had less time than this says nothing of the peer that did not answer in time. */
const SHORTEST_WAIT_MS = 50;

/**
 * Failures are those of the peer. `NOT_FOUND` and the like are answers, which is a success. Neutral is what the peer cannot help or deals
 * with itself: calls that were never sent or were cancelled, that had less time than calls need (`usualMs`), that it asked to come again later,
 * and those that a breaker further down refused.
 */
export function verdictOf(error: unknown, durationMs: number, usualMs: number | undefined, says: (error: TransportError) => PeerSays): Verdict {
  if (error === undefined) return 'success';
  if (!(error instanceof TransportError)) return 'neutral';
  if (error.outcome === 'never_sent' || (error.outcome === 'refused' && error.code === Status.UNAVAILABLE)) return 'neutral';
  switch (error.code) {
    case Status.CANCELLED:
      return 'neutral';
    case Status.DEADLINE_EXCEEDED:
      return durationMs >= Math.max(SHORTEST_WAIT_MS, usualMs ?? 0) ? 'failure' : 'neutral';
    case Status.RESOURCE_EXHAUSTED:
      return says(error).retryAfterMs === undefined ? 'failure' : 'neutral';
    case Status.UNAVAILABLE:
      return says(error).code === 'unavailable.circuit_open' ? 'neutral' : 'failure';
    case Status.INTERNAL:
    case Status.UNKNOWN:
    case Status.DATA_LOSS:
      return 'failure';
    default:
      return 'success';
  }
}
