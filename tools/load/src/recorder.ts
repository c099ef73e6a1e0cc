import { latencies, type LatencyRecorder } from './latencies.ts';
import type { LoadResult, SecondResult, Tick } from './result.ts';
import { newSecond, summarise, type Second } from './second.ts';

/** 99% of the calls begin no later than this after their time, or the generator did not keep up. */
const LAG_MS = 20;

/** Counts what becomes of calls. Times are in milliseconds since the first measured one was intended. */
export interface Recorder {
  /** A call is due at `at`. */
  intended(at: number): void;
  /** It was not made: too many are in flight. */
  dropped(at: number): void;
  /** It begins, `lagMs` late. */
  started(lagMs: number): void;
  /** It is over, `latencyMs` after `at`; failed if there is a code. */
  ended(at: number, latencyMs: number, code: string | undefined): void;
  tick(elapsedMs: number, inFlight: number): Tick;
  result(options: { readonly rate: number; readonly elapsedMs: number; readonly interrupted: boolean }): LoadResult;
}

/** An empty recorder. */
export function createRecorder(): Recorder {
  const totals = { intended: 0, succeeded: 0, failed: 0, dropped: 0 };
  const errors: Record<string, number> = {};
  const latency = { all: latencies(), succeeded: latencies(), failed: latencies() };
  const lag = latencies();
  const seconds: Second[] = [];
  let recent = { succeeded: 0, failed: 0, dropped: 0, latency: latencies() };

  const secondOf = (at: number): Second => {
    const index = Math.floor(at / 1000);
    while (seconds.length <= index) seconds.push(newSecond());
    return seconds[index]!;
  };
  /** Its time is over, and so are its calls. */
  const settle = (second: Second, at: number): void => {
    const index = Math.floor(at / 1000);
    if (index < seconds.length - 1 && second.succeeded + second.failed + second.dropped === second.intended) summarise(second, index);
  };

  return {
    intended(at) {
      totals.intended += 1;
      const index = Math.floor(at / 1000);
      const before = seconds.length;
      secondOf(at).intended += 1;
      if (before > 0 && index >= before) settle(seconds[before - 1]!, (before - 1) * 1000);
    },
    dropped(at) {
      totals.dropped += 1;
      recent.dropped += 1;
      const second = secondOf(at);
      second.dropped += 1;
      settle(second, at);
    },
    started: (lagMs) => lag.record(lagMs),
    ended(at, latencyMs, code) {
      const second = secondOf(at);
      const what = code === undefined ? 'succeeded' : 'failed';
      if (code !== undefined) errors[code] = (errors[code] ?? 0) + 1;
      totals[what] += 1;
      second[what] += 1;
      recent[what] += 1;
      for (const each of [latency.all, latency[what], recent.latency, second.latency] as (LatencyRecorder | undefined)[]) each?.record(latencyMs);
      settle(second, at);
    },
    tick(elapsedMs, inFlight) {
      const tick: Tick = { elapsedMs, ...totals, inFlight, recent };
      recent = { succeeded: 0, failed: 0, dropped: 0, latency: latencies() };
      return tick;
    },
    result({ rate, elapsedMs, interrupted }) {
      const { intended, succeeded, failed, dropped } = totals;
      const unfinished = intended - succeeded - failed - dropped;
      const summaries: SecondResult[] = seconds.map(summarise);
      return {
        rate,
        achievedRate: elapsedMs > 0 ? ((intended - dropped) * 1000) / elapsedMs : 0,
        elapsedMs,
        intended,
        succeeded,
        failed,
        dropped,
        unfinished,
        errors: Object.fromEntries(Object.entries(errors).sort((a, b) => b[1] - a[1])),
        latency,
        lag,
        keptUp: lag.percentileMs(99) <= LAG_MS,
        seconds: summaries,
        interrupted,
      };
    },
  };
}
