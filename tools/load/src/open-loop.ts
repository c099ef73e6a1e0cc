import { systemClock, type Clock } from '@talaria/base';
import { arrivalTimes, type Arrivals } from './arrivals.ts';
import { createRecorder } from './recorder.ts';
import type { LoadResult, Tick } from './result.ts';

/** One call, when it is over or was dropped. Times are in milliseconds since the start of the run, the warm-up included. */
export interface CallRecord {
  /** 0 for the first one. */
  readonly n: number;
  readonly intendedAt: number;
  /** Absent if it was dropped. */
  readonly startedAt?: number;
  /** Absent if it was dropped, or given up at the end of the run. */
  readonly endedAt?: number;
  /** What it failed with. */
  readonly error?: unknown;
  readonly outcome: 'succeeded' | 'failed' | 'dropped' | 'unfinished';
  readonly warmup: boolean;
}

/** How load is made. */
export interface OpenLoopOptions {
  /** Calls a second. */
  readonly rate: number;
  /** How long calls are begun, in milliseconds, after the warm-up. */
  readonly durationMs: number;
  /** Makes call number `n` (from 0). The call has failed if this throws or rejects. */
  readonly call: (n: number) => Promise<unknown>;
  /** Default `fixed`. */
  readonly arrivals?: Arrivals;
  /** Milliseconds of the same load before `durationMs` that are not measured. Default 0. */
  readonly warmupMs?: number;
  /** More than these are not begun but counted as dropped, so that a service that stands still does not take all memory here. Default 10,000. */
  readonly maxInFlight?: number;
  /** How long the last calls are waited for, in milliseconds, before they count as unfinished. Default 10,000. */
  readonly drainMs?: number;
  /** What an error is counted as. Default: its `code`, else its name. */
  readonly codeOf?: (error: unknown) => string;
  /** Ends the run early: no more calls are begun, those in flight are waited for as at the end. */
  readonly signal?: AbortSignal | undefined;
  /** Told how it goes, once a second while calls are begun, also in the warm-up, of which it tells nothing but the time and `inFlight`. */
  readonly onTick?: (tick: Tick) => void;
  /** Told of each call, once. */
  readonly onCall?: (record: CallRecord) => void;
  /** For `poisson`. Default `Math.random`. */
  readonly random?: () => number;
  readonly clock?: Clock;
}

/** So many calls are begun in one turn when the generator is late: answers must be read in between. */
const A_TURN = 64;

function codeOfError(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  return typeof code === 'string' || typeof code === 'number' ? String(code) : typeof name === 'string' ? name : String(error);
}

/**
 * Makes calls at times that do not depend on the answers (an open loop, as the world is), and measures each from the time it
 * was *intended* to begin. So a service that stands still for a second shows in the figures of all calls that would have come in
 * that second, and not in one (coordinated omission). Resolves when all calls are over, or given up.
 */
export async function openLoop(options: OpenLoopOptions): Promise<LoadResult> {
  const { rate, durationMs, call, arrivals = 'fixed', warmupMs = 0, maxInFlight = 10_000, drainMs = 10_000 } = options;
  const { codeOf = codeOfError, signal, onTick, onCall, clock = systemClock } = options;
  if (!(rate > 0 && Number.isFinite(rate))) throw new RangeError(`A rate of ${rate} calls a second makes no load: give a number above 0.`);
  if (!(durationMs > 0 && Number.isFinite(durationMs))) throw new RangeError(`A load of ${durationMs} ms has no calls: give a duration above 0.`);

  const recorder = createRecorder();
  const times = arrivalTimes(rate, warmupMs + durationMs, arrivals, options.random);
  const begin = clock.monotonic();
  const elapsed = (): number => clock.monotonic() - begin;
  let inFlight = 0;
  let onIdle: (() => void) | undefined;
  const running = new Map<number, { readonly intendedAt: number; readonly startedAt: number }>();

  const start = (n: number, intendedAt: number): void => {
    const at = intendedAt - warmupMs;
    const warmup = at < 0;
    if (!warmup) recorder.intended(at);
    if (inFlight >= maxInFlight) {
      if (!warmup) recorder.dropped(at);
      onCall?.({ n, intendedAt, outcome: 'dropped', warmup });
      return;
    }
    const startedAt = elapsed();
    if (!warmup) recorder.started(startedAt - intendedAt);
    inFlight += 1;
    running.set(n, { intendedAt, startedAt });
    const over = (failed: boolean, error?: unknown): void => {
      // Given up at the end of the run, and counted as that.
      if (!running.delete(n)) return;
      inFlight -= 1;
      const endedAt = elapsed();
      if (!warmup) recorder.ended(at, endedAt - intendedAt, failed ? codeOf(error) : undefined);
      onCall?.({ n, intendedAt, startedAt, endedAt, ...(failed && { error }), outcome: failed ? 'failed' : 'succeeded', warmup });
      if (inFlight === 0) onIdle?.();
    };
    // `call` may throw before it returns a promise.
    const ended = new Promise((resolve) => resolve(call(n)));
    ended.then(
      () => over(false),
      (error: unknown) => over(true, error),
    );
  };

  const wait = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        cancel();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const cancel = clock.after(ms, done);
      signal?.addEventListener('abort', done, { once: true });
    });

  let nextTick = onTick ? 1000 : Infinity;
  const tick = (): void => {
    if (elapsed() < nextTick) return;
    nextTick = (Math.floor(elapsed() / 1000) + 1) * 1000;
    onTick?.(recorder.tick(elapsed(), inFlight));
  };
  /** Whether the run goes on, when its clock shows `at`. */
  const until = async (at: number): Promise<boolean> => {
    while (!signal?.aborted && elapsed() < at) {
      await wait(Math.min(at, nextTick) - elapsed());
      tick();
    }
    return !signal?.aborted;
  };

  let n = 0;
  let sinceTurn = 0;
  for (const at of times) {
    if (elapsed() < at) sinceTurn = 0;
    else if (++sinceTurn % A_TURN === 0) await wait(0);
    tick();
    if (!(await until(at))) break;
    start(n, at);
    n += 1;
  }
  await until(warmupMs + durationMs);
  const elapsedMs = Math.max(0, Math.min(elapsed() - warmupMs, durationMs));
  const interrupted = signal?.aborted === true && elapsed() < warmupMs + durationMs;

  if (inFlight > 0) {
    await new Promise<void>((resolve) => {
      const cancel = clock.after(drainMs, resolve);
      onIdle = () => {
        cancel();
        resolve();
      };
    });
  }
  for (const [number, { intendedAt, startedAt }] of running) onCall?.({ n: number, intendedAt, startedAt, outcome: 'unfinished', warmup: intendedAt < warmupMs });
  running.clear();
  return recorder.result({ rate, elapsedMs, interrupted });
}
