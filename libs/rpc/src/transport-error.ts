import { ClientError, Metadata, type Status } from 'nice-grpc-common';
import type { Outcome } from './transport.ts';

/** A call that failed, as the client's transport saw it: nice-grpc's error, what became of the request, and the trailers. */
export class TransportError extends ClientError {
  /** What became of the request. */
  readonly outcome: Outcome;
  /** What the peer sent along with the status; empty for a failure on this side. */
  readonly trailer: Metadata;
  /** How many attempts were made of the call, as far as its policy has said; it travels on with the error. */
  attempts: number;

  constructor(path: string, code: Status, details: string, outcome: Outcome, trailer: Metadata = Metadata()) {
    // Only the transport's inner life would be in its stack, which costs as much as a small call; the errors made of it for callers have one.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(path, code, details);
    Error.stackTraceLimit = stackTraceLimit;
    this.outcome = outcome;
    this.trailer = trailer;
    this.attempts = 0;
  }
}
