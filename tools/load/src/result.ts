import type { Latencies } from './latencies.ts';

/** Latencies of calls, from the time each was intended to begin. */
export interface Latency {
  /** Of all that ended. */
  readonly all: Latencies;
  /** Of those that succeeded. */
  readonly succeeded: Latencies;
  /** Of those that failed: a refusal is quick and must not flatter the others. */
  readonly failed: Latencies;
}

/** What was intended to begin in one second. */
export interface SecondResult {
  /** When it began, in milliseconds since the start. */
  readonly atMs: number;
  readonly intended: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Not made: as many as allowed were in flight. */
  readonly dropped: number;
  /** Given up at the end of the run. */
  readonly unfinished: number;
  /** Of all that ended, from the intended time, in milliseconds; 0 if none did. */
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** How it goes, once a second. */
export interface Tick {
  /** Milliseconds since the start. */
  readonly elapsedMs: number;
  readonly intended: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly dropped: number;
  /** Begun and not over. */
  readonly inFlight: number;
  /** Of the calls that ended since the last tick. */
  readonly recent: { readonly succeeded: number; readonly failed: number; readonly dropped: number; readonly latency: Latencies };
}

/** What became of a load. Calls of the warm-up are in none of the figures. */
export interface LoadResult {
  /** Calls a second that were wanted. */
  readonly rate: number;
  /** Calls a second that were begun. */
  readonly achievedRate: number;
  /** From the first intended call to the end of the last second that was measured, in milliseconds. */
  readonly elapsedMs: number;
  /** intended = succeeded + failed + dropped + unfinished. */
  readonly intended: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Not made: as many as allowed were in flight. The service did not answer in time; this is no success. */
  readonly dropped: number;
  /** Given up at the end of the run. */
  readonly unfinished: number;
  /** How many failed with which code. */
  readonly errors: Readonly<Record<string, number>>;
  readonly latency: Latency;
  /** How much later than intended calls were begun: the generator's own lateness. It is part of `latency`. */
  readonly lag: Latencies;
  /** Whether the generator was in time: 99% of its calls began at most 20 ms late. If not, `latency` tells about the machine it runs on. */
  readonly keptUp: boolean;
  /** Second by second, by the intended time. */
  readonly seconds: readonly SecondResult[];
  /** Whether the signal ended it before its time. */
  readonly interrupted: boolean;
}
