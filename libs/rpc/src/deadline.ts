import { systemClock, type CancelTimer, type Clock } from '@talaria/base';
import { detached } from '@talaria/context';
import { Status } from 'nice-grpc-common';
import { TransportError } from './transport-error.ts';
import type { WireCallOptions } from './transport.ts';

/** setTimeout fires at once for more than 2^31 − 1, and grpc-js overflows when it rounds such a `grpc-timeout` up to seconds. */
export const LONGEST_MS = 2_000_000_000;

/** Milliseconds until `deadline` on its clock: at least 0, at most what a timer can take. */
export function msUntil(deadline: number, clock: Clock = systemClock): number {
  return Math.min(Math.max(deadline - clock.monotonic(), 0), LONGEST_MS);
}

/** Whether `deadline` has passed on its clock. */
export function isPast(deadline: number | undefined, clock: Clock = systemClock): boolean {
  return deadline !== undefined && clock.monotonic() >= deadline;
}

/** The same moment on another clock. */
export function onClock(deadline: number, from: Clock = systemClock, to: Clock = systemClock): number {
  return from === to ? deadline : to.monotonic() + (deadline - from.monotonic());
}

/**
 * Calls `listener` when the deadline of a call passes on a clock that is not this machine's (a test's). What the wire does
 * keeps real time, so that such a deadline has to be watched besides.
 */
export function watchDeadline({ deadline, clock }: Pick<WireCallOptions, 'deadline' | 'clock'>, listener: () => void): CancelTimer | undefined {
  if (deadline === undefined || clock === undefined || clock === systemClock) return undefined;
  return detached(() => clock.after(msUntil(deadline, clock), listener));
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
  return isPast(options.deadline, options.clock)
    ? new TransportError(path, Status.DEADLINE_EXCEEDED, 'The deadline of the call has passed', outcome)
    : new TransportError(path, Status.CANCELLED, 'The call was cancelled by its caller', outcome);
}

/** Why a call must not be sent at all; undefined if it may. */
export function reasonNotToSend(path: string, options: WireCallOptions): TransportError | undefined {
  return options.signal?.aborted || isPast(options.deadline, options.clock) ? endedHere(path, options, 'never_sent') : undefined;
}
