import { systemClock, type Clock } from '@talaria/base';
import { currentCall } from '@talaria/context';
import type { CallOptions } from 'nice-grpc-common';
import type { CallTarget } from './call-target.ts';
import { onClock } from './deadline.ts';

/** Call options of our clients besides nice-grpc's. Of its times and the ambient call's deadline the shortest counts. */
export interface CallLimits extends CallTarget {
  /** When the call must be over, in ms of the monotonic clock of the call (`performance.now()`, or `currentClock().monotonic()`). */
  readonly deadline?: number | undefined;
  /** How long it may take, in ms. */
  readonly timeoutMs?: number | undefined;
}

/** Call options as they walk through middleware to the wire. */
export type LimitedOptions = CallOptions & CallLimits;

/** What holds for a call that says nothing itself. */
export interface DefaultLimits {
  /** For a call to which neither the ambient call nor its options set a deadline, in ms. */
  readonly defaultTimeoutMs: number;
  /** The longest any call may take, whatever else is set, in ms: the method's own deadline. Default: no such bound. */
  readonly longestMs?: number | undefined;
  /** For a call outside of calls. Default: the time of this machine. */
  readonly clock?: Clock | undefined;
}

/** The limits that hold for a call. */
export interface Limits {
  readonly deadline: number;
  /** What `deadline` is measured by. */
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
}

/** The deadline and the signal that hold for a call: those of the ambient call, its own, and at least the default. */
export function limitsOf(options: LimitedOptions, defaults: DefaultLimits, own?: AbortSignal): Limits {
  const ambient = currentCall();
  const clock = ambient.clock ?? defaults.clock ?? systemClock;
  let deadline = options.deadline;
  if (ambient.deadline !== undefined) deadline = earlier(deadline, onClock(ambient.deadline, ambient.clock, clock));
  if (options.timeoutMs !== undefined) deadline = earlier(deadline, clock.monotonic() + options.timeoutMs);
  const { longestMs } = defaults;
  if (longestMs !== undefined) deadline = earlier(deadline, clock.monotonic() + longestMs);
  return { deadline: deadline ?? clock.monotonic() + defaults.defaultTimeoutMs, clock, signal: joined(ambient.signal, joined(options.signal, own)) };
}

function earlier(one: number | undefined, other: number): number {
  return one === undefined ? other : Math.min(one, other);
}

function joined(one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined {
  if (one === undefined || one === other) return other;
  return other === undefined ? one : AbortSignal.any([one, other]);
}

/** Options with the limits that hold for a call in place of what they said themselves. */
export function limit(options: LimitedOptions, defaults: DefaultLimits, own?: AbortSignal): LimitedOptions & { readonly deadline: number } {
  const { deadline, signal } = limitsOf(options, defaults, own);
  return signal === undefined ? { ...options, timeoutMs: undefined, deadline } : { ...options, timeoutMs: undefined, deadline, signal };
}
