import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { manualClock, type ManualClock } from '@talaria/testing';
import { openLoop, type CallRecord, type OpenLoopOptions } from './open-loop.ts';
import type { LoadResult, Tick } from './result.ts';

/** Runs on a clock that is moved until the result is there. */
async function run(options: Omit<OpenLoopOptions, 'clock'>, clock: ManualClock = manualClock()): Promise<LoadResult> {
  let result: LoadResult | undefined;
  const running = openLoop({ ...options, clock }).then((value) => (result = value));
  for (let ms = 0; result === undefined && ms < 60_000; ms += 1) await clock.advance(1);
  return running;
}

const after = (clock: ManualClock, ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));

describe('openLoop', () => {
  it('makes calls at their times, whatever the answers do', async () => {
    const clock = manualClock();
    const startedAt: number[] = [];
    const call = (): Promise<void> => {
      startedAt.push(clock.monotonic());
      return after(clock, 5_000);
    };
    const result = await run({ rate: 100, durationMs: 1_000, call }, clock);
    assert.deepEqual(
      startedAt.map(Math.round),
      Array.from({ length: 100 }, (_, n) => n * 10),
    );
    assert.equal(result.succeeded, 100);
    assert.equal(Math.round(result.latency.all.minMs), 5_000);
    assert.equal(result.achievedRate, 100);
    assert.equal(result.keptUp, true);
  });

  it('measures from the intended time: a second of standing still shows in every call of that second', async () => {
    const clock = manualClock();
    const records: CallRecord[] = [];
    // Nothing is answered between 1 s and 2 s.
    const call = (): Promise<void> => after(clock, clock.monotonic() >= 1_000 && clock.monotonic() < 2_000 ? 2_000 - clock.monotonic() : 1);
    const result = await run({ rate: 100, durationMs: 4_000, call, onCall: (record) => records.push(record) }, clock);
    const slow = records.filter(({ intendedAt, endedAt }) => endedAt! - intendedAt > 10);
    // All but the last calls of that second, and not just the one that a closed loop would have sent.
    assert.equal(slow.length, 99);
    assert.ok(slow.every(({ intendedAt }) => intendedAt >= 1_000 && intendedAt < 2_000));
    assert.ok(result.latency.all.percentileMs(99) > 900, `${result.latency.all.percentileMs(99)}`);
    assert.ok(result.latency.all.percentileMs(50) < 2);
    assert.deepEqual(
      result.seconds.map(({ p99Ms }) => p99Ms > 900),
      [false, true, false, false],
    );
  });

  it("counts the generator's own lateness in the latency, and says so", async () => {
    const clock = manualClock();
    let late = false;
    // One call blocks the generator for 500 ms: all that came due meanwhile begins late.
    const blocking = { ...clock, monotonic: () => clock.monotonic() + (late ? 500 : 0) };
    const call = (n: number): Promise<void> => {
      if (n === 50) late = true;
      return Promise.resolve();
    };
    let result: LoadResult | undefined;
    const running = openLoop({ rate: 100, durationMs: 1_000, call, clock: blocking }).then((value) => (result = value));
    for (let ms = 0; result === undefined && ms < 10_000; ms += 1) await clock.advance(1);
    await running;
    assert.equal(result!.succeeded, 100);
    assert.equal(result!.keptUp, false);
    assert.ok(result!.lag.maxMs > 480 && result!.latency.all.maxMs > 480);
    assert.ok(result!.latency.all.percentileMs(75) > 200);
  });

  it('does not begin more than may be in flight, and hides none of these', async () => {
    const clock = manualClock();
    const result = await run({ rate: 100, durationMs: 1_000, maxInFlight: 10, call: () => after(clock, 250) }, clock);
    assert.equal(result.intended, 100);
    assert.equal(result.succeeded + result.dropped, 100);
    assert.equal(result.succeeded, 40);
    assert.equal(Math.round(result.achievedRate), 40);
  });

  it('counts failures by code, and their times apart', async () => {
    const clock = manualClock();
    const call = async (n: number): Promise<void> => {
      if (n % 4 === 1) throw Object.assign(new Error('no'), { code: 'not_found.account' });
      if (n % 4 === 2) throw new TypeError('bad');
      await after(clock, 100);
    };
    const result = await run({ rate: 100, durationMs: 1_000, call }, clock);
    assert.deepEqual(result.errors, { 'not_found.account': 25, TypeError: 25 });
    assert.equal(result.failed, 50);
    assert.ok(result.latency.succeeded.minMs >= 99 && result.latency.failed.maxMs < 2);
  });

  it('counts a call that throws at once as failed', async () => {
    const call = (): Promise<void> => {
      throw new RangeError('bad');
    };
    const result = await run({ rate: 10, durationMs: 1_000, call });
    assert.deepEqual(result.errors, { RangeError: 10 });
  });

  it('measures nothing of the warm-up', async () => {
    const clock = manualClock();
    const records: CallRecord[] = [];
    const call = (): Promise<void> => after(clock, clock.monotonic() < 1_000 ? 700 : 1);
    const result = await run({ rate: 10, durationMs: 1_000, warmupMs: 1_000, call, onCall: (record) => records.push(record) }, clock);
    assert.equal(result.intended, 10);
    assert.equal(result.seconds.length, 1);
    assert.ok(result.latency.all.maxMs < 5);
    assert.deepEqual([records.filter(({ warmup }) => warmup).length, records.length], [10, 20]);
  });

  it('gives up what is not answered after the end', async () => {
    const clock = manualClock();
    const records: CallRecord[] = [];
    const result = await run({ rate: 10, durationMs: 1_000, drainMs: 500, call: (n) => (n < 5 ? Promise.resolve() : new Promise(() => {})), onCall: (record) => records.push(record) }, clock);
    assert.equal(result.unfinished, 5);
    assert.equal(result.succeeded, 5);
    assert.equal(records.filter(({ outcome, endedAt }) => outcome === 'unfinished' && endedAt === undefined).length, 5);
    assert.equal(result.seconds[0]!.unfinished, 5);
  });

  it('ends early with what was measured', async () => {
    const clock = manualClock();
    const ending = new AbortController();
    const call = async (n: number): Promise<void> => {
      if (n === 25) ending.abort();
    };
    const result = await run({ rate: 10, durationMs: 60_000, call, signal: ending.signal }, clock);
    assert.equal(result.interrupted, true);
    assert.equal(result.intended, 26);
    assert.equal(Math.round(result.elapsedMs), 2_500);
  });

  it('ticks each second', async () => {
    const clock = manualClock();
    const ticks: Tick[] = [];
    await run({ rate: 100, durationMs: 3_500, call: () => after(clock, 1), onTick: (tick) => ticks.push(tick) }, clock);
    assert.deepEqual(
      ticks.map(({ elapsedMs }) => Math.round(elapsedMs / 100)),
      [10, 20, 30],
    );
    const recent = ticks.map((tick) => tick.recent.succeeded);
    assert.ok(recent.every((count) => count >= 98 && count <= 101), `${recent.join(' ')}`);
    assert.equal(ticks[2]!.succeeded, recent[0]! + recent[1]! + recent[2]!);
  });

  it('refuses what is no load', async () => {
    await assert.rejects(openLoop({ rate: 0, durationMs: 1, call: () => Promise.resolve() }), /give a number above 0/);
    await assert.rejects(openLoop({ rate: 1, durationMs: Number.NaN, call: () => Promise.resolve() }), /give a duration above 0/);
  });
});
