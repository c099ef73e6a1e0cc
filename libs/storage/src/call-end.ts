import { systemClock } from '@talaria/base';
import { type Call } from '@talaria/context';
import { cancelled, hasCode, ServiceError, timeout } from '@talaria/errors';

/** Timers fire up to this much too early, in ms. */
const TIMER_ERROR_MS = 2;

function remaining({ deadline, clock = systemClock }: Call): number {
  return deadline === undefined ? Infinity : deadline - clock.monotonic();
}

function errorOf(call: Call): ServiceError {
  const reason: unknown = call.signal?.reason;
  // The leadership that it ran under is over: the reason says that, and who is affected.
  if (reason instanceof ServiceError && hasCode(reason, 'conflict.fenced')) return reason;
  const late = remaining(call) <= TIMER_ERROR_MS;
  if (late || hasCode(reason, 'timeout') || (reason instanceof Error && reason.name === 'TimeoutError')) {
    return timeout('database', 'The deadline passed before the database answered.', { cause: reason });
  }
  return cancelled('database', 'The call ended before the database answered.', { cause: reason });
}

/** Throws if the call is over: its deadline passed, or its signal aborted. */
export function refuseIfOver(call: Call): void {
  if (call.signal?.aborted || remaining(call) <= 0) throw errorOf(call);
}

/** Calls `listener` once when the call ends; the answer stops that. */
export function onEnd(call: Call, listener: (error: ServiceError) => void): () => void {
  const { signal, deadline, clock = systemClock } = call;
  if (!signal && deadline === undefined) return () => {};
  let cancelTimer = (): void => {};
  const end = (): void => {
    stop();
    listener(errorOf(call));
  };
  const stop = (): void => {
    signal?.removeEventListener('abort', end);
    cancelTimer();
  };
  signal?.addEventListener('abort', end, { once: true });
  // The signal of a call aborts at its deadline by itself, but one that was set within the call may be earlier.
  if (deadline !== undefined) cancelTimer = clock.after(remaining(call), end);
  return stop;
}
