import { ClientError, Metadata, type Status } from 'nice-grpc-common';
import type { Outcome } from './transport.ts';

/** A call that failed, as the client's transport saw it: nice-grpc's error, what became of the request, and the trailers. */
export class TransportError extends ClientError {
  /** What became of the request. */
  readonly outcome: Outcome;
  /** What the peer sent along with the status; empty for a failure on this side. */
  readonly trailer: Metadata;

  constructor(path: string, code: Status, details: string, outcome: Outcome, trailer: Metadata = Metadata()) {
    super(path, code, details);
    this.outcome = outcome;
    this.trailer = trailer;
  }
}
