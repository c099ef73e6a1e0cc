import { context as otel, type Context } from '@opentelemetry/api';
import { attemptOver, BegunCall, callOver, reported, type AttemptOptions } from './begun-call.ts';
import type { CoarseTimer } from './coarse-timers.ts';
import type { ContractMethod } from './contract.ts';
import { endedHere } from './deadline.ts';
import { tell, type HeldAnswer } from './held-answer.ts';
import type { Candidate } from './picker.ts';
import type { Route } from './route.ts';
import type { CallHandle, WireCallOptions } from './transport.ts';

const NONE: Attempt[] = [];

/** A call with one request and one response, whose attempts may overlap. */
export class UnaryCall extends BegunCall {
  readonly request: Uint8Array;
  readonly decode: (response: Uint8Array) => unknown;
  readonly resolve: (response: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Replaced when the first one is made, since a list that grows takes ten times the room of one that does not. */
  running: Attempt[] = NONE;
  /** Retries that wait. */
  pauses: Set<CoarseTimer> | undefined = undefined;
  /** The context of the call, for what timers begin. */
  context: Context | undefined = undefined;
  onAbort: (() => void) | undefined = undefined;
  /** The failure that the caller gets if no other attempt succeeds. */
  failure: { readonly error: unknown; readonly held: HeldAnswer | undefined } | undefined = undefined;
  over = false;

  constructor(route: Route, method: ContractMethod, request: Uint8Array, options: WireCallOptions, how: AttemptOptions, decode: (response: Uint8Array) => unknown, resolve: (response: unknown) => void, reject: (error: unknown) => void) {
    super(route, method, options, how);
    this.request = request;
    this.decode = decode;
    this.resolve = resolve;
    this.reject = reject;
  }
}

/** One of its attempts. */
export interface Attempt extends CallHandle {
  readonly candidate: Candidate;
  readonly number: number;
  readonly startedAt: number;
  readonly held: HeldAnswer | undefined;
  /** When a hedge is due, and when it has taken too long: on the clock of the call. */
  hedgeAt: number;
  lateAt: number;
  timer: CoarseTimer | undefined;
  timedOut: boolean;
  over: boolean;
}

/** Whatever throws (a picker, a policy, a caller's callback) ends the call. */
export function guarded(call: UnaryCall, step: () => void): void {
  try {
    step();
  } catch (error) {
    finish(call, error);
  }
}

/** Pauses end with the call; what runs heeds its signal by itself. */
export function listen(call: UnaryCall): void {
  const { signal } = call.options;
  if (!signal || call.onAbort) return;
  call.onAbort = () => {
    stopWaiting(call);
    if (call.running.length === 0) finish(call, endedHere(call.method.path, call.options, 'maybe_executed'));
  };
  signal.addEventListener('abort', call.onAbort, { once: true });
  if (signal.aborted) call.onAbort();
}

/** No retry that waits is made any more. */
function stopWaiting(call: UnaryCall): void {
  for (const timer of call.pauses ?? []) call.timers.cancel(timer);
  call.pauses = undefined;
  call.waiting = 0;
}

/** Takes a step that a timer begins in the context of the call. */
export function inContext(call: UnaryCall, step: () => void): void {
  otel.with(call.context ?? otel.active(), guarded, undefined, call, step);
}

/** An attempt is over; the answer tells whether it was not so before. */
export function end(call: UnaryCall, made: Attempt): boolean {
  if (made.over) return false;
  made.over = true;
  if (made.timer) call.timers.cancel(made.timer);
  const { running } = call;
  // Nearly always the only one.
  if (running.at(-1) === made) running.pop();
  else running.splice(running.indexOf(made), 1);
  return true;
}

/** Ends the call with its last failure. */
export function giveUp(call: UnaryCall): void {
  if (call.over || !call.failure) return;
  const { error, held } = call.failure;
  tell(call.options, held);
  finish(call, reported(call, error));
}

/** Ends the call with an error. */
export function finish(call: UnaryCall, error: unknown): void {
  if (call.over) return;
  try {
    over(call, call.clock.monotonic(), error);
  } catch (bug) {
    call.reject(bug);
  }
  call.reject(error);
}

/** Everything that was begun for the call ends with it. */
export function over(call: UnaryCall, now: number, error: unknown): void {
  if (call.over) return;
  call.over = true;
  for (let loser = call.running.at(-1); loser; loser = call.running.at(-1)) {
    end(call, loser);
    loser.cancel?.();
    attemptOver(call, loser.candidate, loser.number, { startedAt: loser.startedAt, clock: call.clock, durationMs: now - loser.startedAt, abandoned: true });
  }
  if (call.pauses) stopWaiting(call);
  if (call.onAbort) call.options.signal?.removeEventListener('abort', call.onAbort);
  callOver(call, now, error);
}
