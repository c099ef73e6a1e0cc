import { Status } from 'nice-grpc-common';
import { TransportError } from './transport-error.ts';
import type { WireCallOptions } from './transport.ts';

/** setTimeout fires at once for more than 2^31 − 1, and grpc-js overflows when it rounds such a `grpc-timeout` up to seconds. */
export const LONGEST_MS = 2_000_000_000;

/** Milliseconds until `deadline` (monotonic): at least 0, at most what a timer can take. */
export function msUntil(deadline: number): number {
  return Math.min(Math.max(deadline - performance.now(), 0), LONGEST_MS);
}

/** Whether `deadline` has passed. */
export function isPast(deadline: number | undefined): boolean {
  return deadline !== undefined && performance.now() >= deadline;
}

/** The reason of a signal that aborts because time is up. */
export function deadlineReason(): DOMException {
  return new DOMException('The deadline of the call has passed', 'TimeoutError');
}

/** The reason of a signal that aborts because the caller went away. */
export function hungUpReason(): DOMException {
  return new DOMException('The caller hung up', 'AbortError');
}

/** What a call that its own side ended fails with; `outcome` as far as it had come. */
export function endedHere(path: string, options: WireCallOptions, outcome: 'never_sent' | 'maybe_executed'): TransportError {
  return isPast(options.deadline)
    ? new TransportError(path, Status.DEADLINE_EXCEEDED, 'The deadline of the call has passed', outcome)
    : new TransportError(path, Status.CANCELLED, 'The call was cancelled by its caller', outcome);
}

/** Why a call must not be sent at all; undefined if it may. */
export function reasonNotToSend(path: string, options: WireCallOptions): TransportError | undefined {
  return options.signal?.aborted || isPast(options.deadline) ? endedHere(path, options, 'never_sent') : undefined;
}
