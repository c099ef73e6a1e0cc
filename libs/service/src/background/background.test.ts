import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { silentLogger, type Checker } from '@talaria/base';
import { currentCall, runInCall, timeRemaining } from '@talaria/context';
import { eventually, manualClock } from '@talaria/testing';
import { createBackground, type Background, type BackgroundOptions } from './background.ts';
import { memoryLocks } from './memory-locks.ts';
import type { ScheduleLocks } from './schedule-locks.ts';

const ended = (signal: AbortSignal): Promise<void> => new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })));

function make(options: Partial<BackgroundOptions> = {}): { background: Background; checkers: Checker[] } {
  const checkers: Checker[] = [];
  const locks = memoryLocks({ clock: options.clock });
  const background = createBackground({ service: 'service.test', log: silentLogger, locks: () => locks, tracer: () => undefined, addChecker: (checker) => checkers.push(checker), ...options });
  return { background, checkers };
}

/** Locks that can be taken away: for good, or to be had again at once. What counts as run is in `noted`, in ms. */
function takeableLocks(): { locks: ScheduleLocks; noted: number[]; take: (options: { forGood: boolean }) => void } {
  const noted: number[] = [];
  let lost = new AbortController();
  let gone = false;
  const locks: ScheduleLocks = {
    async acquire(_schedule, signal) {
      if (gone) await ended(signal);
      signal.throwIfAborted();
      lost = new AbortController();
      return { lost: lost.signal, due: async () => {}, ran: async (ms) => void noted.push(ms), release: async () => {} };
    },
    close: async () => {},
  };
  const take = ({ forGood }: { forGood: boolean }): void => {
    gone = forGood;
    lost.abort(new Error('Another instance has it.'));
  };
  return { locks, noted, take };
}

const never = new AbortController().signal;

describe('workers', () => {
  test('one that fails or returns runs again, outside of the call that added it and in a context of its own, until it is stopped', async () => {
    let runs = 0;
    const ids: (string | undefined)[] = [];
    const { background } = make();
    background.start();
    runInCall({ requestId: 'req_1', deadline: 5 }, () =>
      background.worker('ticker', async (signal) => {
        const call = currentCall();
        assert.equal(call.deadline, undefined);
        assert.equal(call.signal, signal);
        ids.push(call.requestId);
        if (++runs === 1) throw new Error('once');
      }),
    );
    await eventually(() => runs >= 3);
    await background.stopWorkers();
    const atStop = runs;
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(runs, atStop);
    assert.equal(new Set(ids).size, runs);
    assert.ok(!ids.includes('req_1') && !ids.includes(undefined));
  });

  test('stopping waits for what a worker is at', async () => {
    let finished = false;
    const { background } = make();
    background.worker('careful', async (signal) => {
      await ended(signal);
      await new Promise((resolve) => setTimeout(resolve, 20));
      finished = true;
    });
    background.start();
    await background.stopWorkers();
    assert.ok(finished);
  });

  test('one that fails waits ever longer, and is not well until it has lasted', async () => {
    const clock = manualClock();
    const at: number[] = [];
    let broken = true;
    const { background, checkers } = make({ clock });
    background.worker('relay', async (signal) => {
      at.push(clock.monotonic());
      if (broken) throw new Error('no broker');
      await ended(signal);
    });
    const [checker] = checkers;
    assert.equal(checker?.name, 'worker relay');
    assert.equal(checker.critical ?? false, false);
    background.start();
    await clock.advance(100 + 200 + 400);
    assert.deepEqual(at, [0, 100, 300, 700]);
    assert.throws(() => checker.check(never), /failed 4 times in a row: no broker/);
    broken = false;
    await clock.advance(800);
    assert.throws(() => checker.check(never), /no broker/);
    await clock.advance(30_000);
    assert.deepEqual(await checker.check(never), { runs: 5, running: true });
    await background.stopWorkers();
  });
});

describe('schedules', () => {
  test('one runs at once and then every interval, each time with the interval as its deadline', async () => {
    const clock = manualClock();
    const runs: { at: number; left: number | undefined; id: string | undefined }[] = [];
    const { background } = make({ clock });
    background.every('1h', 'clean', () => void runs.push({ at: clock.monotonic(), left: timeRemaining(), id: currentCall().requestId }));
    background.start();
    await clock.advance(2 * 3_600_000);
    assert.deepEqual(
      runs.map(({ at }) => at),
      [0, 3_600_000, 7_200_000],
    );
    assert.ok(runs.every(({ left }) => left === 3_600_000));
    assert.equal(new Set(runs.map(({ id }) => id)).size, 3);
    await background.stopSchedules();
  });

  test('of several instances one runs it; another one goes on when that stops, and not before it is due', async () => {
    const clock = manualClock();
    const locks = memoryLocks({ clock });
    const runs: string[] = [];
    const instance = (name: string): Background => {
      const { background } = make({ clock, locks: () => locks });
      background.every('1m', 'clean', () => void runs.push(`${name} at ${clock.monotonic()}`));
      background.every('1m', 'look', () => void runs.push(`${name} looks`), { everywhere: true });
      background.start();
      return background;
    };
    const [one, two] = [instance('one'), instance('two')];
    const clean = (): string[] => runs.filter((each) => !each.endsWith('looks'));
    await clock.advance(90_000);
    assert.deepEqual(clean(), ['one at 0', 'one at 60000']);
    assert.equal(runs.filter((each) => each === 'two looks').length, 2);
    await one.stopSchedules();
    await clock.advance(29_000);
    assert.equal(clean().length, 2);
    await clock.advance(61_000);
    assert.deepEqual(clean().slice(2), ['two at 120000', 'two at 180000']);
    await two.stopSchedules();
  });

  test('a run that fails is made again with pauses, and is not well meanwhile; one that takes longer than the interval is aborted', async () => {
    const clock = manualClock();
    const at: number[] = [];
    const { background, checkers } = make({ clock });
    let how: 'fail' | 'hang' | 'work' = 'fail';
    background.every('1m', 'clean', async (signal) => {
      at.push(clock.monotonic());
      if (how === 'fail') throw new Error('disk full');
      if (how === 'hang') {
        await ended(signal);
        signal.throwIfAborted();
      }
    });
    const [checker] = checkers;
    assert.equal(checker?.name, 'schedule clean');
    background.start();
    await clock.advance(3_000);
    assert.deepEqual(at, [0, 1_000, 3_000]);
    assert.throws(() => checker.check(never), /failed 3 times in a row: disk full/);
    how = 'hang';
    await clock.advance(4_000 + 60_000);
    assert.throws(() => checker.check(never), /failed 4 times in a row: The run took longer than 60000 ms/);
    how = 'work';
    await clock.advance(8_000);
    assert.deepEqual(await checker.check(never), { runs: 5, running: false });
    assert.deepEqual(at, [0, 1_000, 3_000, 7_000, 75_000]);
    await clock.advance(60_000);
    assert.equal(at.at(-1), 135_000);
    await background.stopSchedules();
  });

  test('an instance that loses the lock is well: how the schedule goes is for the one that has it', async () => {
    const clock = manualClock();
    const { locks, take } = takeableLocks();
    const { background, checkers } = make({ clock, locks: () => locks });
    background.every('1m', 'clean', () => {
      throw new Error('disk full');
    });
    const [checker] = checkers;
    background.start();
    await clock.advance(0);
    assert.throws(() => checker?.check(never), /failed: disk full/);
    take({ forGood: true });
    await clock.advance(0);
    assert.deepEqual(await checker?.check(never), { runs: 1, running: false });
    await background.stopSchedules();
  });

  test('a run that ends because the lock is lost is over, and has not failed', async () => {
    const clock = manualClock();
    const { locks, take } = takeableLocks();
    const { background, checkers } = make({ clock, locks: () => locks });
    background.every('1m', 'clean', async (signal) => {
      await ended(signal);
      signal.throwIfAborted();
    });
    const [checker] = checkers;
    background.start();
    await clock.advance(0);
    assert.deepEqual(await checker?.check(never), { runs: 1, running: true });
    take({ forGood: true });
    await clock.advance(0);
    assert.deepEqual(await checker?.check(never), { runs: 1, running: false });
    await background.stopSchedules();
  });

  test('an instance that gets the lock back notes again that it has run, and never that it has failed', async () => {
    const clock = manualClock();
    const { locks, noted, take } = takeableLocks();
    const { background } = make({ clock, locks: () => locks });
    const at: number[] = [];
    background.every('1m', 'clean', () => {
      at.push(clock.monotonic());
      if (at.length === 2) throw new Error('disk full');
    });
    background.start();
    await clock.advance(20_000);
    take({ forGood: false });
    await clock.advance(40_500);
    assert.deepEqual(at, [0, 60_000]);
    take({ forGood: false });
    await clock.advance(0);
    assert.deepEqual(noted, [60_000, 40_000]);
    await clock.advance(500);
    assert.deepEqual(at, [0, 60_000, 61_000]);
    assert.deepEqual(noted, [60_000, 40_000, 60_000]);
    await background.stopSchedules();
  });

  test('stopping aborts the run under way and waits for it; it was not finished, and so is made again elsewhere', async () => {
    const clock = manualClock();
    const locks = memoryLocks({ clock });
    const events: string[] = [];
    const [one, two] = [make({ clock, locks: () => locks }).background, make({ clock, locks: () => locks }).background];
    one.every('1d', 'report', async (signal) => {
      events.push('begun');
      await ended(signal);
      events.push('ended');
      signal.throwIfAborted();
    });
    two.every('1d', 'report', () => void events.push('made again'));
    one.start();
    await clock.advance(0);
    two.start();
    await clock.advance(1_000);
    await one.stopSchedules();
    assert.deepEqual(events.slice(0, 2), ['begun', 'ended']);
    await clock.advance(0);
    assert.deepEqual(events, ['begun', 'ended', 'made again']);
    await two.stopSchedules();
  });
});

test('names and intervals that are none are refused in one sentence', () => {
  const { background } = make();
  const work = (): void => {};
  background.worker('relay', work);
  background.every(500, 'clean', work);
  assert.throws(() => background.worker('clean', work), { name: 'WiringError', message: 'There is a worker or a schedule "clean" already: give this worker another name.' });
  assert.throws(() => background.every('1h', 'relay', work, {}), /"relay" already: give this schedule another name/);
  for (const wrong of ['a/b', '', 'a\nb', 'x'.repeat(101)]) assert.throws(() => background.worker(wrong, work), /is no name of a worker: use up to 100 characters without "\/"/);
  background.every('1h', 'remove what is old: daily', work);
  for (const wrong of ['5 minutes', '1w', '-1s', '0s', Number.NaN, 0, ''] as never[]) assert.throws(() => background.every(wrong, 'other', work, {}), /is no interval: use a number of ms, or one such as '500ms'/);
  background.every('1.5s', 'other', work, {});
});
