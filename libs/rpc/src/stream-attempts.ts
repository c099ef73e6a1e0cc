import { sleep } from '@talaria/base';
import type { Metadata } from 'nice-grpc-common';
import { attemptOver, BegunCall, callOver, countAttempt, failedResult, nextAttempt, pick, reported, tooLate, type AttemptOptions } from './begun-call.ts';
import type { CoarseTimer } from './coarse-timers.ts';
import type { ContractMethod } from './contract.ts';
import { endedHere } from './deadline.ts';
import type { AttemptResult, Candidate } from './picker.ts';
import type { Route } from './route.ts';
import type { WireCallOptions } from './transport.ts';

/** A call in which either side streams: one attempt at a time, and none after an answer has begun. */
class StreamCall extends BegunCall {
  current: Attempt | undefined = undefined;
  /** For one request at most: whether it can be sent again is up to the answer alone. */
  requestsTaken = false;
}

interface Attempt {
  readonly candidate: Candidate;
  readonly number: number;
  readonly startedAt: number;
  /** Cancels it; only where its time is limited. */
  readonly controller: AbortController | undefined;
  timer: CoarseTimer | undefined;
  timedOut: boolean;
  /** Its answer has begun (with a response, or headers that somebody asked for): it is the last one. */
  answered: boolean;
  firstResponseMs: number | undefined;
  trailer: Metadata | undefined;
  over: boolean;
}

/**
 * Makes a call in which either side streams. `requests` of a method that takes one request are asked for once for each attempt;
 * a stream of them can be sent again as long as none was taken. What `decode` throws of a response is a failure of the attempt.
 */
export async function* streamAttempts<T>(
  route: Route,
  method: ContractMethod,
  requests: AsyncIterable<Uint8Array>,
  options: WireCallOptions,
  how: AttemptOptions,
  decode: (response: Uint8Array) => T,
): AsyncGenerator<T, void, undefined> {
  const call = new StreamCall(route, method, options, how);
  const plan = how.policy.begin(call);
  call.plan = plan instanceof Promise ? await plan : plan;
  const stopWatching = watch(call);
  let failure: unknown;
  try {
    const source = watched(call, requests);
    for (;;) {
      const found = route.candidates(method, options, call.choice);
      const attempt = begin(call, found instanceof Promise ? await found : found);
      try {
        for await (const bytes of attempt.candidate.connection.stream(method, source, wireOptions(call, attempt))) {
          const response = decode(bytes);
          begins(call, attempt);
          if (attempt.firstResponseMs === undefined) {
            attempt.firstResponseMs = call.clock.monotonic() - attempt.startedAt;
            call.plan.answered?.(attempt.firstResponseMs);
          }
          yield response;
        }
        end(call, attempt, timesOf(call, attempt));
        if (attempt.trailer) options.onTrailer?.(attempt.trailer);
        return;
      } catch (cause) {
        await nextOrThrow(call, attempt, cause);
      } finally {
        // Its reader left.
        end(call, attempt, { ...timesOf(call, attempt), abandoned: true });
      }
    }
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    stopWatching();
    callOver(call, call.clock.monotonic(), failure);
  }
}

/** Notes when a stream of requests is taken. */
function watched(call: StreamCall, requests: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  if (!call.method.requestStream) return requests;
  return {
    [Symbol.asyncIterator]() {
      call.requestsTaken = true;
      return requests[Symbol.asyncIterator]();
    },
  };
}

/** Tells that a stream is over when it is, although its reader may never look at it again. */
function watch(call: StreamCall): () => void {
  const { options, clock, startedAt, timers } = call;
  const { signal, deadline = Infinity } = options;
  const stop = (): void => {
    if (timer) timers.cancel(timer);
    signal?.removeEventListener('abort', onEnd);
  };
  const onEnd = (): void => {
    stop();
    const { current } = call;
    current?.controller?.abort(signal?.reason);
    const now = clock.monotonic();
    const error = endedHere(call.method.path, options, 'maybe_executed');
    if (current) end(call, current, { ...timesOf(call, current), ...failedResult(call, current.startedAt, now, error, false) });
    callOver(call, now, error);
  };
  const timer = deadline < Infinity ? timers.after(clock, startedAt, Math.max(0, deadline - startedAt), onEnd) : undefined;
  signal?.addEventListener('abort', onEnd, { once: true });
  return stop;
}

function begin(call: StreamCall, candidates: readonly Candidate[]): Attempt {
  const { clock, plan, options, timers } = call;
  const candidate = pick(call, candidates, false);
  const number = countAttempt(call, candidate);
  const startedAt = clock.monotonic();
  const { attemptTimeoutMs } = plan;
  const limited = attemptTimeoutMs !== undefined && startedAt + attemptTimeoutMs < (options.deadline ?? Infinity);
  const controller = limited ? new AbortController() : undefined;
  const attempt: Attempt = { candidate, number, startedAt, controller, timer: undefined, timedOut: false, answered: false, firstResponseMs: undefined, trailer: undefined, over: false };
  call.current = attempt;
  if (controller) {
    if (options.signal?.aborted) controller.abort(options.signal.reason);
    attempt.timer = timers.after(clock, startedAt, attemptTimeoutMs as number, () => {
      if (attempt.over || attempt.answered) return;
      attempt.timedOut = true;
      controller.abort();
    });
  }
  try {
    call.onAttempt?.(candidate.endpoint);
  } catch (error) {
    end(call, attempt, { ...timesOf(call, attempt), abandoned: true });
    throw error;
  }
  return attempt;
}

function wireOptions(call: StreamCall, attempt: Attempt): WireCallOptions {
  const { options } = call;
  const { onHeader, onTrailer } = options;
  if (!attempt.controller && !onHeader && !onTrailer) return options;
  return {
    ...options,
    signal: attempt.controller?.signal ?? options.signal,
    onHeader: onHeader && ((metadata) => {
      if (attempt.timedOut) return;
      begins(call, attempt);
      onHeader(metadata);
    }),
    onTrailer: onTrailer && ((metadata) => {
      // Until the answer has begun, another attempt may take its place.
      if (attempt.answered) onTrailer(metadata);
      else attempt.trailer = metadata;
    }),
  };
}

function begins(call: StreamCall, attempt: Attempt): void {
  attempt.answered = true;
  if (attempt.timer) call.timers.cancel(attempt.timer);
}

function timesOf(call: StreamCall, { startedAt, firstResponseMs }: Attempt): AttemptResult {
  const durationMs = call.clock.monotonic() - startedAt;
  const { clock } = call;
  return firstResponseMs === undefined ? { startedAt, clock, durationMs } : { startedAt, clock, durationMs, firstResponseMs };
}

/** An attempt is over; once. */
function end(call: StreamCall, attempt: Attempt, result: AttemptResult): void {
  if (attempt.over) return;
  attempt.over = true;
  if (attempt.timer) call.timers.cancel(attempt.timer);
  attemptOver(call, attempt.candidate, attempt.number, result);
}

/** Resolves when the next attempt may begin; throws what the caller gets if there is none. */
async function nextOrThrow(call: StreamCall, attempt: Attempt, cause: unknown): Promise<void> {
  const { clock, options, method, route } = call;
  const { candidate, timedOut } = attempt;
  const error = timedOut ? tooLate(call, cause) : cause;
  const now = clock.monotonic();
  end(call, attempt, { ...timesOf(call, attempt), ...failedResult(call, attempt.startedAt, now, error, timedOut) });
  const again = nextAttempt(call, { candidate, error, timedOut, requestsTaken: call.requestsTaken || attempt.answered, running: 0 });
  // The deadline would end the pause, or they are gone: what went wrong says more.
  const late = typeof again === 'number' && now + again >= (options.deadline ?? Infinity);
  if (again === false || late || route.current(call.choice).length === 0) {
    if (attempt.trailer) options.onTrailer?.(attempt.trailer);
    throw reported(call, error);
  }
  if (again === true) return;
  try {
    await sleep(again, { clock, signal: options.signal });
  } catch {
    throw endedHere(method.path, options, 'maybe_executed');
  }
  // Its time passed meanwhile.
  if (call.told) throw endedHere(method.path, options, 'maybe_executed');
}
