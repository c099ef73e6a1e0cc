import type { StatusObject } from '@grpc/grpc-js';
import { Metadata, Status } from 'nice-grpc-common';
import { TransportError } from '../transport-error.ts';
import { REFUSED_KEY } from '../refused-key.ts';
import type { Outcome } from '../transport.ts';
import { fromGrpc } from './metadata.ts';

// grpc-js knows how far a call came (`progress`), and drops it on the way up; the texts below are all that is left of it.
// Read from grpc-js 1.14.7: load-balancing-call.ts, load-balancer-pick-first.ts, internal-channel.ts, subchannel-call.ts.
const NEVER_SENT = ['No connection established', 'Failed to start HTTP/2 stream', 'Channel closed before call started', 'Name resolution failed'];
const REFUSED = 'Stream refused by server';
/** What it says when the stream or the socket broke, with varying codes. */
const BROKEN = ['Received RST_STREAM with code', 'Call cancelled', 'Connection dropped', 'Write error', 'Write failed'];

/** The error of a call that ended with `status`. */
export function errorOf(path: string, status: StatusObject, heardOfPeer: boolean): TransportError {
  const trailer = fromGrpc(status.metadata);
  const { code, details } = status;
  const error = (as: Status, outcome: Outcome): TransportError => new TransportError(path, as, details, outcome, trailer);
  const starts = (texts: readonly string[]): boolean => texts.some((text) => details.startsWith(text));
  if (trailer.has(REFUSED_KEY)) {
    const rest = Metadata(trailer);
    rest.delete(REFUSED_KEY);
    return new TransportError(path, code, details, 'refused', rest);
  }
  if (!heardOfPeer && code !== Status.OK) {
    if (code === Status.UNAVAILABLE && details === REFUSED) return error(code, 'refused');
    if (starts(NEVER_SENT)) return error(code, 'never_sent');
  }
  // A peer that resets a call without a status is gone or broken; CANCELLED would say that this side gave up.
  return error(starts(BROKEN) && code !== Status.RESOURCE_EXHAUSTED ? Status.UNAVAILABLE : code, 'maybe_executed');
}
