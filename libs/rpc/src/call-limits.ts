import { currentCall } from '@talaria/context';
import type { CallOptions } from 'nice-grpc-common';

/** Call options of our clients besides nice-grpc's. The shortest of these and the ambient call's deadline counts. */
export interface CallLimits {
  /** When the call must be over, on the monotonic clock (`performance.now()`), in ms. */
  readonly deadline?: number | undefined;
  /** How long it may take, in ms. */
  readonly timeoutMs?: number | undefined;
}

/** Call options as they walk through middleware to the wire. */
export type LimitedOptions = CallOptions & CallLimits;

/** Options with the deadline and the signal that hold for a call: those of the ambient call, its own, and at least the default. */
export function limit(options: LimitedOptions, defaultTimeoutMs: number, own?: AbortSignal): LimitedOptions & { readonly deadline: number } {
  const ambient = currentCall();
  const { timeoutMs, ...rest } = options;
  const deadlines = [ambient.deadline, options.deadline, timeoutMs === undefined ? undefined : performance.now() + timeoutMs].filter((at) => at !== undefined);
  const deadline = deadlines.length > 0 ? Math.min(...deadlines) : performance.now() + defaultTimeoutMs;
  // A call is limited when it begins and again where it leaves, since middleware may have changed its options.
  const signals = [...new Set([ambient.signal, options.signal, own])].filter((signal) => signal !== undefined);
  const [first] = signals;
  if (first === undefined) return { ...rest, deadline };
  return { ...rest, deadline, signal: signals.length === 1 ? first : AbortSignal.any(signals) };
}
