import { systemClock, type Clock } from '@talaria/base';
import { Status } from 'nice-grpc-common';
import type { CallPlan, CallPolicy, PolicyCall } from './call-policy.ts';
import type { CallTarget, Choice } from './call-target.ts';
import type { CoarseTimers } from './coarse-timers.ts';
import type { ContractMethod } from './contract.ts';
import { isPast, reasonNotToSend } from './deadline.ts';
import type { AttemptResult, Candidate } from './picker.ts';
import type { Route } from './route.ts';
import { TransportError } from './transport-error.ts';
import type { WireCallOptions } from './transport.ts';

/** How the attempts of a call are made. */
export interface AttemptOptions {
  readonly policy: CallPolicy;
  readonly timers: CoarseTimers;
  /** Default: any instance. */
  readonly choice: Choice | undefined;
  readonly onAttempt: CallTarget['onAttempt'];
}

const NOBODY: ReadonlySet<Candidate> = new Set();
const NO_PLAN: CallPlan = { again: () => false };

/** A policy of one attempt, which may take as long as the call. */
export const oneAttempt: CallPolicy = { begin: () => NO_PLAN };

/** What the attempts of one call have in common. A class, since that is how a record of so many fields is made fastest. */
export class BegunCall implements PolicyCall {
  readonly method: ContractMethod;
  readonly options: WireCallOptions;
  readonly route: Route;
  readonly clock: Clock;
  readonly timers: CoarseTimers;
  readonly onAttempt: CallTarget['onAttempt'];
  readonly startedAt: number;
  /** Until its policy let it begin, one of no consequence. */
  plan: CallPlan = NO_PLAN;
  choice: Choice | undefined;
  /** How many attempts were made. */
  made = 0;
  /** How many retries wait until they are made. */
  waiting = 0;
  /** The first that was picked, and all of them once there are several: nearly all calls have one attempt, and need no set. */
  first: Candidate | undefined = undefined;
  tried: Set<Candidate> | undefined = undefined;
  /** Whether an attempt that failed may have been executed. */
  maybeExecuted = false;
  /** Whether the plan was told that the call is over. */
  told = false;

  constructor(route: Route, method: ContractMethod, options: WireCallOptions, { timers, choice, onAttempt }: AttemptOptions) {
    this.method = method;
    this.options = options;
    this.route = route;
    this.clock = options.clock ?? systemClock;
    this.timers = timers;
    this.onAttempt = onAttempt;
    this.startedAt = this.clock.monotonic();
    this.choice = choice;
  }
}

/** Those to whom attempts of the call went. */
export function triedBy(call: BegunCall): ReadonlySet<Candidate> {
  if (call.tried) return call.tried;
  if (!call.first) return NOBODY;
  call.tried = new Set<Candidate>().add(call.first);
  return call.tried;
}

/** Picks for the next attempt; `made` or `dropPick` has to follow, and in the end `attemptOver`. */
export function pick(call: BegunCall, candidates: readonly Candidate[], hedge: boolean, now?: number): Candidate {
  return call.route.picker.pick(candidates, { method: call.method, tried: triedBy(call), hedge, now, clock: call.clock });
}

/** An attempt is made with what was picked; answers its number. */
export function countAttempt(call: BegunCall, candidate: Candidate): number {
  if (!call.first) call.first = candidate;
  else (triedBy(call) as Set<Candidate>).add(candidate);
  call.made++;
  return call.made;
}

/** What was picked is not used after all. */
export function dropPick(call: BegunCall, candidate: Candidate, now: number): void {
  call.route.picker.done?.(candidate, { startedAt: now, clock: call.clock, durationMs: 0, abandoned: true }, call.method);
}

/** Tells how an attempt ended. */
export function attemptOver(call: BegunCall, candidate: Candidate, number: number, result: AttemptResult): void {
  call.route.picker.done?.(candidate, result, call.method);
  call.plan.attempted?.(result, number);
}

/** Tells that the call is over; once. */
export function callOver(call: BegunCall, now: number, error: unknown): void {
  if (call.told) return;
  call.told = true;
  const durationMs = now - call.startedAt;
  call.plan.done?.(error === undefined ? { durationMs, endedAt: now, attempts: call.made } : { durationMs, endedAt: now, attempts: call.made, error });
}

/** The result of an attempt that failed with `error`; `timedOut` if it took longer than an attempt may. */
export function failedResult(call: BegunCall, startedAt: number, now: number, error: unknown, timedOut: boolean): AttemptResult {
  const result = { startedAt, clock: call.clock, durationMs: now - startedAt, error };
  const { options } = call;
  if (timedOut || (error instanceof TransportError && error.code === Status.DEADLINE_EXCEEDED && isPast(options.deadline, call.clock))) return { ...result, timedOut: true };
  return options.signal?.aborted ? { ...result, abandoned: true } : result;
}

/** What an attempt that took too long fails with, in place of the cancellation that ended it. */
export function tooLate(call: BegunCall, error: unknown): unknown {
  if (!(error instanceof TransportError) || error.code !== Status.CANCELLED) return error;
  const limit = call.plan.attemptTimeoutMs;
  return new TransportError(call.method.path, Status.DEADLINE_EXCEEDED, `The instance did not answer within ${limit === undefined ? 'its time' : `${Math.round(limit)} ms`}`, error.outcome, error.trailer);
}

/** The error as the caller gets it: what may have been executed in an earlier attempt may have been executed. */
export function reported(call: BegunCall, error: unknown): unknown {
  if (!call.maybeExecuted || !(error instanceof TransportError) || error.outcome === 'maybe_executed') return error;
  return Object.assign(new TransportError(error.path, error.code, error.details, 'maybe_executed', error.trailer), { attempts: error.attempts });
}

/** An attempt that failed, for the decision whether there is another one. */
export interface Failure {
  readonly candidate: Candidate;
  readonly error: unknown;
  readonly timedOut: boolean;
  readonly requestsTaken: boolean;
  /** Other attempts that run. */
  readonly running: number;
}

function untriedOf(call: BegunCall, candidates: readonly Candidate[]): number {
  const tried = triedBy(call);
  let untried = 0;
  for (const candidate of candidates) if (!tried.has(candidate)) untried++;
  return untried;
}

/** Whether there is somebody who was not tried, for a hedge. */
export function anyUntried(call: BegunCall, candidates: readonly Candidate[]): boolean {
  const tried = triedBy(call);
  return candidates.some((candidate) => !tried.has(candidate));
}

/** Whether there is another attempt: at once, or after so many ms. */
export function nextAttempt(call: BegunCall, { candidate, error, timedOut, requestsTaken, running }: Failure): boolean | number {
  if (!(error instanceof TransportError)) return false;
  if (error.outcome === 'maybe_executed') call.maybeExecuted = true;
  const { method, plan, options, route, choice } = call;
  // Nobody waits for it any more.
  if (reasonNotToSend(method.path, options)) return false;
  const candidates = route.current(choice);
  // It left the registry between pick and call, and its connection was closed: that was no attempt.
  if (error.outcome === 'never_sent' && candidate.connection.state !== 'failed' && !candidates.includes(candidate)) return candidates.length > running;
  const inFlight = running + call.waiting;
  const attempt = call.made + call.waiting;
  const ask = (untried: number): boolean | number => plan.again({ method, error, attempt, untried, requestsTaken, timedOut, inFlight });
  const untried = untriedOf(call, candidates);
  // Two attempts at the same time never go to the same place.
  if (untried > 0 || !choice?.preferred) return candidates.length > running && ask(untried);
  // All who have the preferred version were tried: better another version than none.
  const others = untriedOf(call, route.current());
  const again = others > 0 && ask(others);
  if (again !== false) {
    route.passedOver(choice);
    call.choice = undefined;
  }
  return again;
}
