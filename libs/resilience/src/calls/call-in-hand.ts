import type { Clock } from '@talaria/base';
import { Status, TransportError, type AttemptResult, type CallPlan, type FailedAttempt } from '@talaria/rpc';
import type { Passage } from './breaker.ts';
import type { MethodCalls } from './method-calls.ts';
import { retryPause } from './retry-pause.ts';
import { peerSays, verdictOf, type PeerSays } from './verdict.ts';

/** A hedge earlier than this would be for the noise of a busy machine. */
const EARLIEST_HEDGE_MS = 10;
/** Hedges leave this share of the budget to retries: these save calls, hedges only time. */
const HEDGE_RESERVE = 0.5;
/** So many hedges, and one for so many calls in flight, run at a time: where they do not come back soon everybody is slow, and they would be more load. */
const FEW_HEDGES = 5;
const CALLS_A_HEDGE = 10;
/** No hedges so long after somebody was overloaded: they would be more load. */
const CALM_MS = 5_000;
/** An attempt is given up after half of the time of its call if that is so many times what nearly all calls take. */
const FAR_BEYOND = 10;

/**
 * The plan of one call. A class, since one is made for each call: its functions are shared, and its fields are all it costs.
 */
export class CallInHand implements CallPlan {
  readonly attemptTimeoutMs: number | undefined;
  readonly #calls: MethodCalls;
  /** Of the call. */
  readonly #clock: Clock;
  readonly #passage: Passage;
  readonly #startedAt: number;
  readonly #deadline: number;
  readonly #hedgeMs: number | undefined;
  /** One bit for each attempt that is a hedge and has not ended. */
  #hedges = 0;
  /** A peer that goes away refuses without having looked, and the first of them costs no budget. */
  #wasRefused = false;
  /** A stream that has begun to answer says that the peer is well, however long it goes on. */
  #answered = false;
  #said: PeerSays | undefined;
  #saidBy: TransportError | undefined;

  /** `deadline` is in ms of the clock of the policies; `Infinity` for none. */
  constructor(calls: MethodCalls, passage: Passage, deadline: number, now: number, clock: Clock) {
    this.#calls = calls;
    this.#clock = clock;
    this.#passage = passage;
    this.#startedAt = now;
    this.#deadline = deadline;
    const { policy, repeatable, unary, latency } = calls;
    const left = deadline - now;
    const again = repeatable && unary && policy.retry.attempts > 1;
    const half = left < Infinity ? left / 2 : undefined;
    const wanted = policy.attempt_timeout;
    if (wanted === 'auto') {
      const p99 = again && half !== undefined ? latency.quantile('p99', now) : undefined;
      this.attemptTimeoutMs = p99 !== undefined && half !== undefined && p99 * FAR_BEYOND < half ? half : undefined;
    } else this.attemptTimeoutMs = wanted === 'none' ? undefined : wanted;
    if (again && policy.hedge.enabled) {
      const { after } = policy.hedge;
      const p95 = after === 'p95' ? latency.quantile('p95', now) : after;
      // Nothing is known yet: half of the time is left for the hedge.
      this.#hedgeMs = p95 === undefined ? half : after === 'p95' ? Math.max(p95, EARLIEST_HEDGE_MS) : p95;
    } else this.#hedgeMs = undefined;
  }

  hedgeAfterMs(attempt: number, startedAt?: number): number | undefined {
    const ms = this.#hedgeMs;
    if (ms === undefined || attempt >= this.#calls.policy.retry.attempts) return undefined;
    if (this.#deadline === Infinity) return ms;
    // It needs about as much time as the attempt before has had.
    return this.#deadline - this.#onOwn(startedAt) >= ms * 1.5 ? ms : undefined;
  }

  hedge(attempt: number): boolean {
    const calls = this.#calls;
    const now = calls.shared.clock.monotonic();
    if (now < calls.calmAt || calls.hedgesInFlight >= FEW_HEDGES + calls.inFlight / CALLS_A_HEDGE) return false;
    if (calls.breaker.refuses(now, calls.policy.breaker) || !this.#spend(now, HEDGE_RESERVE)) return false;
    this.#hedges |= 1 << attempt;
    calls.hedgesInFlight++;
    calls.hedges++;
    return true;
  }

  again(failure: FailedAttempt): boolean | number {
    const calls = this.#calls;
    const { error } = failure;
    const { shared, policy } = calls;
    const now = shared.clock.monotonic();
    if (error.code === Status.RESOURCE_EXHAUSTED) calls.calmAt = now + CALM_MS;
    const pause = retryPause(failure, this.#says(error), { retry: policy.retry, repeatable: calls.repeatable, random: shared.random });
    if (pause === false || now + pause >= this.#deadline) return false;
    if (!this.#isFree(error)) {
      // What is on its way when the breaker opens would be most of a storm.
      if (this.#passage === 'pass' && policy.breaker.mode === 'auto' && calls.breaker.describe(now, policy.breaker).rejectProbability === 1) return false;
      if (!this.#spend(now, 0)) return false;
    }
    calls.retries++;
    return pause === 0 ? true : pause;
  }

  answered(firstResponseMs: number): void {
    const { latency, shared, breaker, policy } = this.#calls;
    const now = shared.clock.monotonic();
    this.#answered = true;
    latency.record(firstResponseMs, now);
    breaker.over(now, 'success', this.#passage, policy.breaker, this.#startedAt);
  }

  attempted(result: AttemptResult, attempt: number): void {
    const isHedge = (this.#hedges & (1 << attempt)) !== 0;
    if (isHedge) this.#hedgeOver(attempt);
    if (this.#answered) return;
    const { latency } = this.#calls;
    const { error, abandoned = false, timedOut = false } = result;
    if (error === undefined && !abandoned && !timedOut) {
      latency.record(result.durationMs, this.#onOwn(result.startedAt + result.durationMs));
      if (isHedge) this.#calls.hedgesWon++;
    } else if (abandoned || timedOut) {
      // It would have taken longer: left out, slow attempts would make the quantiles smaller, and so more hedges.
      const now = this.#onOwn(result.startedAt + result.durationMs);
      const p95 = latency.quantile('p95', now);
      if (p95 !== undefined && result.durationMs > p95) latency.record(result.durationMs, now);
    }
  }

  done({ durationMs, endedAt, attempts, error }: Parameters<NonNullable<CallPlan['done']>>[0]): void {
    const calls = this.#calls;
    const now = this.#onOwn(endedAt);
    calls.inFlight--;
    // One that found nobody to go to never ran.
    for (let attempt = 1; this.#hedges !== 0; attempt++) if (this.#hedges & (1 << attempt)) this.#hedgeOver(attempt);
    if (error === undefined) {
      if (!this.#answered) calls.breaker.over(now, 'success', this.#passage, calls.policy.breaker, this.#startedAt);
      return;
    }
    if (error instanceof TransportError) error.attempts = Math.max(error.attempts, attempts);
    // A stream may last as long as its deadline.
    const isTimeUp = this.#answered && error instanceof TransportError && error.code === Status.DEADLINE_EXCEEDED;
    const verdict = isTimeUp ? 'neutral' : verdictOf(error, durationMs, calls.latency.quantile('p95', now), (failed) => this.#says(failed));
    if (verdict === 'failure') {
      calls.failures++;
      calls.lastFailure = Status[(error as TransportError).code];
    }
    if (!this.#answered) calls.breaker.over(now, verdict, this.#passage, calls.policy.breaker, this.#startedAt);
    else if (verdict === 'failure') calls.breaker.over(now, verdict, 'pass', calls.policy.breaker, this.#startedAt);
  }

  /** Never-sent attempts are no load for anybody, and one that stops must not use up what the others may need. */
  #isFree({ outcome, code }: TransportError): boolean {
    if (outcome === 'never_sent') return true;
    if (outcome !== 'refused' || code !== Status.UNAVAILABLE || this.#wasRefused) return false;
    return (this.#wasRefused = true);
  }

  /** A moment of the call that is now: asked for again only where the call has another clock. */
  #onOwn(moment: number | undefined): number {
    const { clock } = this.#calls.shared;
    return moment !== undefined && this.#clock === clock ? moment : clock.monotonic();
  }

  #hedgeOver(attempt: number): void {
    this.#hedges &= ~(1 << attempt);
    this.#calls.hedgesInFlight--;
  }

  #spend(now: number, reserve: number): boolean {
    const { shared } = this.#calls;
    const taken = shared.budget.take(now, shared.budgetPolicy, reserve);
    if (taken) this.#calls.spent++;
    else this.#calls.denied++;
    return taken;
  }

  #says(error: TransportError): PeerSays {
    if (this.#saidBy !== error || !this.#said) {
      this.#saidBy = error;
      this.#said = peerSays(error);
    }
    return this.#said;
  }
}
