import { currentCall, currentClock, detached, timeRemaining } from '@talaria/context';

/** What ends one request before its answer. */
export interface RequestLimits {
  /** Aborts when time is up or somebody has hung up. */
  readonly signal: AbortSignal;
  /** How long it may take, in ms. */
  readonly limitMs: number;
  /** Whether time is up. */
  isLate(): boolean;
  /** Whether the signal of the request, or that of the ambient call, has aborted. */
  isHungUp(): boolean;
  /** Frees the timer. */
  end(): void;
}

/** The limits of a request: the shorter of `timeoutMs` and what remains of the ambient call, on the clock of that call. */
export function requestLimits(timeoutMs: number, own: AbortSignal | undefined): RequestLimits {
  const clock = currentClock();
  const limitMs = Math.min(timeoutMs, timeRemaining() ?? Infinity);
  const hangUps = [currentCall().signal, own].filter((signal) => signal !== undefined);
  const late = new AbortController();
  const expire = (): void => late.abort(new DOMException('The time for the request is over', 'TimeoutError'));
  if (limitMs <= 0) expire();
  const cancel = limitMs > 0 ? detached(() => clock.after(limitMs, expire)) : () => {};
  return {
    signal: AbortSignal.any([late.signal, ...hangUps]),
    limitMs: Math.max(0, limitMs),
    isLate: () => late.signal.aborted,
    isHungUp: () => hangUps.some((signal) => signal.aborted),
    end: cancel,
  };
}
