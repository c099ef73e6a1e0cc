import { Status, TransportError, type AttemptResult, type Connection } from '@talaria/rpc';

/**
 * What the end of an attempt says of the instance:
 * `good`: it did what it was asked; `answered`: it answered with an error that is not its fault; `failed`: with one that is;
 * `overloaded`: it refused, and said when to come again; `unanswered`: its time was over, or nobody wanted the answer any more;
 * `nothing`: it has not seen the call, or is going away, or its connection was lost, which its state tells.
 */
export type Outcome = 'good' | 'answered' | 'failed' | 'overloaded' | 'unanswered' | 'nothing';

const DETAILS_KEY = 'grpc-status-details-bin';
const RETRY_INFO = 'google.rpc.RetryInfo';

/** Whether the peer said when to come again. Looks for the name of the detail only, and decodes nothing. */
function hasPushback({ trailer }: TransportError): boolean {
  const details = trailer.get(DETAILS_KEY);
  return details instanceof Uint8Array && Buffer.from(details.buffer, details.byteOffset, details.byteLength).includes(RETRY_INFO);
}

/** Says what an end says. */
export function outcomeOf({ error, abandoned, timedOut }: AttemptResult, connection: Connection): Outcome {
  if (abandoned || timedOut) return 'unanswered';
  if (error === undefined) return 'good';
  // What was not a failure on the wire was one of this side: of a codec, of middleware.
  if (!(error instanceof TransportError) || error.outcome !== 'maybe_executed') return 'nothing';
  switch (error.code) {
    case Status.UNAVAILABLE:
      return connection.state === 'ready' ? 'failed' : 'nothing';
    case Status.INTERNAL:
    case Status.UNKNOWN:
    case Status.DATA_LOSS:
    case Status.DEADLINE_EXCEEDED:
      return 'failed';
    case Status.RESOURCE_EXHAUSTED:
      return hasPushback(error) ? 'overloaded' : 'failed';
    case Status.CANCELLED:
      return 'unanswered';
    default:
      return 'answered';
  }
}
