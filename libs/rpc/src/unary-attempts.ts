import { context as otel } from '@opentelemetry/api';
import { anyUntried, attemptOver, countAttempt, dropPick, failedResult, nextAttempt, pick, tooLate, type AttemptOptions } from './begun-call.ts';
import type { CallPlan } from './call-policy.ts';
import type { ContractMethod } from './contract.ts';
import { endedHere } from './deadline.ts';
import { holding, tell } from './held-answer.ts';
import { isFinal } from './is-final.ts';
import type { Candidate } from './picker.ts';
import type { Route } from './route.ts';
import type { WireCallOptions } from './transport.ts';
import { end, finish, giveUp, guarded, inContext, listen, over, UnaryCall, type Attempt } from './unary-call.ts';

/** Makes a call with one request and one response, which `decode` reads; what it throws is a failure of the attempt. */
export function unaryAttempts<T>(route: Route, method: ContractMethod, request: Uint8Array, options: WireCallOptions, how: AttemptOptions, decode: (response: Uint8Array) => T): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const call = new UnaryCall(route, method, request, options, how, decode, resolve as (response: unknown) => void, reject);
    const plan = how.policy.begin(call);
    if (plan instanceof Promise) plan.then((found) => begin(call, found, undefined), reject);
    else begin(call, plan, call.startedAt);
  });
}

function begin(call: UnaryCall, plan: CallPlan, now: number | undefined): void {
  call.plan = plan;
  try {
    const found = call.route.candidates(call.method, call.options, call.choice);
    if (found instanceof Promise) found.then((candidates) => guarded(call, () => void attempt(call, candidates, false)), (error: unknown) => finish(call, error));
    else attempt(call, found, false, now);
  } catch (error) {
    finish(call, error);
  }
}

/** Makes an attempt, unless it would go where another one is. */
function attempt(call: UnaryCall, candidates: readonly Candidate[], hedge: boolean, startedAt: number = call.clock.monotonic()): boolean {
  const { options, plan, running } = call;
  const candidate = pick(call, candidates, hedge, startedAt);
  if (running.length > 0 && (running.some((other) => other.candidate === candidate) || (hedge && call.tried?.has(candidate)))) {
    dropPick(call, candidate, startedAt);
    return false;
  }
  const number = countAttempt(call, candidate);
  const hedgeAfterMs = plan.hedgeAfterMs?.(number, startedAt);
  const { deadline = Infinity } = options;
  const lateAt = before(deadline, startedAt, plan.attemptTimeoutMs);
  const hedgeAt = before(Math.min(deadline, lateAt), startedAt, hedgeAfterMs);
  const held = options.onHeader || options.onTrailer ? { header: undefined, trailer: undefined } : undefined;
  const made: Attempt = { candidate, number, startedAt, held, hedgeAt, lateAt, timer: undefined, timedOut: false, over: false, cancel: undefined };
  if (running.length === 0) call.running = [made];
  else running.push(made);
  call.onAttempt?.(candidate.endpoint);
  send(call, made);
  arm(call, made, startedAt);
  return true;
}

/** When something is due, if that is before `end`. */
function before(end: number, now: number, ms: number | undefined): number {
  return ms !== undefined && now + ms < end ? now + ms : Infinity;
}

function send(call: UnaryCall, made: Attempt): void {
  const { metadata, deadline, clock, signal, onLeaving } = call.options;
  const wire = made.held ? holding(call.options, made.held, made) : { metadata, deadline, clock, signal, handle: made, onLeaving };
  let answer: Promise<Uint8Array>;
  try {
    answer = made.candidate.connection.unary(call.method, call.request, wire);
  } catch (error) {
    answer = Promise.reject(error as Error);
  }
  answer.then(
    (response) => answered(call, made, response),
    (error: unknown) => failed(call, made, error),
  );
}

function arm(call: UnaryCall, made: Attempt, now: number): void {
  const at = Math.min(made.hedgeAt, made.lateAt);
  if (at === Infinity || made.over) return;
  call.context ??= otel.active();
  made.timer = call.timers.after(call.clock, now, at - now, () => due(call, made));
}

function due(call: UnaryCall, made: Attempt): void {
  if (made.over || call.over) return;
  const now = call.clock.monotonic();
  if (now >= made.lateAt) {
    made.lateAt = made.hedgeAt = Infinity;
    made.timedOut = true;
    if (made.cancel) made.cancel();
    // What its connection cannot cancel goes on unheeded.
    else failed(call, made, endedHere(call.method.path, call.options, 'maybe_executed'));
    return;
  }
  if (now >= made.hedgeAt) {
    made.hedgeAt = Infinity;
    inContext(call, () => hedge(call));
  }
  arm(call, made, now);
}

function hedge(call: UnaryCall): void {
  // A retry that waits will be the other attempt.
  if (call.waiting > 0) return;
  const candidates = call.route.current(call.choice);
  if (anyUntried(call, candidates) && call.plan.hedge?.(call.made + 1)) attempt(call, candidates, true);
}

function answered(call: UnaryCall, made: Attempt, bytes: Uint8Array): void {
  if (made.over) return;
  let response: unknown;
  try {
    response = call.decode(bytes);
  } catch (error) {
    failed(call, made, error);
    return;
  }
  end(call, made);
  const now = call.clock.monotonic();
  try {
    attemptOver(call, made.candidate, made.number, { startedAt: made.startedAt, clock: call.clock, durationMs: now - made.startedAt });
    tell(call.options, made.held);
    over(call, now, undefined);
  } catch (error) {
    finish(call, error);
    call.reject(error);
    return;
  }
  call.resolve(response);
}

function failed(call: UnaryCall, made: Attempt, cause: unknown): void {
  if (!end(call, made)) return;
  guarded(call, () => {
    const now = call.clock.monotonic();
    const { candidate, timedOut } = made;
    const error = timedOut ? tooLate(call, cause) : cause;
    attemptOver(call, candidate, made.number, failedResult(call, made.startedAt, now, error, timedOut));
    const again = nextAttempt(call, { candidate, error, timedOut, requestsTaken: false, running: call.running.length });
    call.failure = { error, held: made.held };
    if (again === true) retry(call);
    else if (again !== false) pause(call, again, now);
    else if (isFinal(error)) giveUp(call);
    // Otherwise another attempt may still succeed.
    if (call.running.length + call.waiting === 0) giveUp(call);
  });
}

/** Makes a retry, where there is somebody to make it with. */
function retry(call: UnaryCall): void {
  let candidates: readonly Candidate[] | Promise<readonly Candidate[]>;
  try {
    candidates = call.route.candidates(call.method, call.options, call.choice);
  } catch {
    // They are gone: what went wrong before says more.
    return;
  }
  if (!(candidates instanceof Promise)) attempt(call, candidates, false);
}

function pause(call: UnaryCall, ms: number, now: number): void {
  const { deadline = Infinity } = call.options;
  // The deadline would end the pause: what went wrong says more.
  if (now + ms >= deadline) return;
  listen(call);
  if (call.over) return;
  call.context ??= otel.active();
  call.waiting++;
  const timer = call.timers.after(call.clock, now, ms, () => {
    if (call.over || !call.pauses?.delete(timer)) return;
    call.waiting--;
    inContext(call, () => {
      retry(call);
      if (call.running.length + call.waiting === 0) giveUp(call);
    });
  });
  (call.pauses ??= new Set()).add(timer);
}
