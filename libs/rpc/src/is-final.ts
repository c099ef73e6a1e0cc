import { Status } from 'nice-grpc-common';
import { TransportError } from './transport-error.ts';

const ANSWERS: ReadonlySet<Status> = new Set([
  Status.INVALID_ARGUMENT,
  Status.NOT_FOUND,
  Status.ALREADY_EXISTS,
  Status.PERMISSION_DENIED,
  Status.UNAUTHENTICATED,
  Status.FAILED_PRECONDITION,
  Status.ABORTED,
  Status.OUT_OF_RANGE,
  Status.UNIMPLEMENTED,
]);

/**
 * Whether an error ends a call although another attempt runs: it is what the service says of the request (another instance would say
 * the same), and not a failure of one instance; or it comes from this process and not from the wire.
 */
export function isFinal(error: unknown): boolean {
  return !(error instanceof TransportError) || ANSWERS.has(error.code);
}
