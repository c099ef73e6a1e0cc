import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { silentLogger, type Checker, type Leadership } from '@talaria/base';
import { currentCall, currentFences, runInCall, timeRemaining } from '@talaria/context';
import { memoryElections, type ServiceElections } from '@talaria/discovery';
import { eventually, manualClock } from '@talaria/testing';
import { createBackground, type Background, type BackgroundOptions } from './background.ts';

const ended = (signal: AbortSignal): Promise<void> => new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })));

function make(options: Partial<BackgroundOptions> = {}): { background: Background; checkers: Checker[] } {
  const checkers: Checker[] = [];
  const elections = memoryElections({ clock: options.clock }).of('service.test');
  const background = createBackground({ log: silentLogger, elections: () => elections, tracer: () => undefined, addChecker: (checker) => checkers.push(checker), ...options });
  return { background, checkers };
}

/** Elections whose leader can be deposed: for good, or to win again at once. What counts as run is in `noted`, in ms. */
function fickleElections(): { elections: ServiceElections; noted: number[]; depose: (options: { forGood: boolean }) => void } {
  const noted: number[] = [];
  const memory = memoryElections();
  const own = memory.of('service.test');
  let gone = false;
  const elections: ServiceElections = {
    ...own,
    async campaign(name, signal = never) {
      if (gone) await ended(signal);
      return own.campaign(name, signal);
    },
    runs: { due: async () => {}, ran: async (_schedule, _leadership, ms) => void noted.push(ms) },
  };
  const depose = ({ forGood }: { forGood: boolean }): void => {
    gone = forGood;
    assert.ok(memory.depose('service.test', 'clean'));
  };
  return { elections, noted, depose };
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
    const elections = memoryElections({ clock }).of('service.test');
    const runs: string[] = [];
    const instance = (name: string): Background => {
      const { background } = make({ clock, elections: () => elections });
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

  test('an instance that leads no more is well: how the schedule goes is for the one that does', async () => {
    const clock = manualClock();
    const { elections, depose } = fickleElections();
    const { background, checkers } = make({ clock, elections: () => elections });
    background.every('1m', 'clean', () => {
      throw new Error('disk full');
    });
    const [checker] = checkers;
    background.start();
    await clock.advance(0);
    assert.throws(() => checker?.check(never), /failed: disk full/);
    depose({ forGood: true });
    await clock.advance(0);
    assert.deepEqual(await checker?.check(never), { runs: 1, running: false });
    await background.stopSchedules();
  });

  test('a run that ends because another instance leads is over, and has not failed', async () => {
    const clock = manualClock();
    const { elections, depose } = fickleElections();
    const { background, checkers } = make({ clock, elections: () => elections });
    background.every('1m', 'clean', async (signal) => {
      await ended(signal);
      signal.throwIfAborted();
    });
    const [checker] = checkers;
    background.start();
    await clock.advance(0);
    assert.deepEqual(await checker?.check(never), { runs: 1, running: true });
    depose({ forGood: true });
    await clock.advance(0);
    assert.deepEqual(await checker?.check(never), { runs: 1, running: false });
    await background.stopSchedules();
  });

  test('an instance that is elected again notes again that it has run, and never that it has failed', async () => {
    const clock = manualClock();
    const { elections, noted, depose } = fickleElections();
    const { background } = make({ clock, elections: () => elections });
    const at: number[] = [];
    background.every('1m', 'clean', () => {
      at.push(clock.monotonic());
      if (at.length === 2) throw new Error('disk full');
    });
    background.start();
    await clock.advance(20_000);
    depose({ forGood: false });
    await clock.advance(40_500);
    assert.deepEqual(at, [0, 60_000]);
    depose({ forGood: false });
    await clock.advance(0);
    assert.deepEqual(noted, [60_000, 40_000]);
    await clock.advance(500);
    assert.deepEqual(at, [0, 60_000, 61_000]);
    assert.deepEqual(noted, [60_000, 40_000, 60_000]);
    await background.stopSchedules();
  });

  test('stopping aborts the run under way and waits for it; it was not finished, and so is made again elsewhere', async () => {
    const clock = manualClock();
    const elections = memoryElections({ clock }).of('service.test');
    const events: string[] = [];
    const [one, two] = [make({ clock, elections: () => elections }).background, make({ clock, elections: () => elections }).background];
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

describe('leaders', () => {
  test('one instance leads, with a fence; another one goes on when it stops, with a higher token', async () => {
    const elections = memoryElections();
    const begun: { by: string; token: bigint; fenced: readonly Leadership[] }[] = [];
    const instance = (by: string): Background => {
      const { background, checkers } = make({ elections: () => elections.of('service.test') });
      background.leader('import', async (signal, leadership) => {
        assert.equal(currentCall().deadline, undefined);
        begun.push({ by, token: leadership.token, fenced: currentFences() });
        await ended(signal);
      });
      assert.equal(checkers[0]?.name, 'leader import');
      background.start();
      return background;
    };
    const one = instance('one');
    await eventually(() => begun.length === 1);
    const two = instance('two');
    await one.stopWorkers();
    await eventually(() => begun.length === 2);
    assert.deepEqual(begun.map(({ by }) => by), ['one', 'two']);
    assert.ok(begun[1]!.token > begun[0]!.token);
    assert.deepEqual(begun.map(({ fenced }) => fenced.map(({ token }) => token)), begun.map(({ token }) => [token]));
    await two.stopWorkers();
  });

  test('a run that returns is followed by the next one, in the same instance', async () => {
    const tokens: bigint[] = [];
    const { background } = make();
    background.leader('import', async (_signal, { token }) => void tokens.push(token));
    background.start();
    await eventually(() => tokens.length >= 3);
    await background.stopWorkers();
    assert.equal(new Set(tokens).size, 1);
  });

  test('one that fails resigns, so that another instance may do better, and is well when that does', async () => {
    const clock = manualClock();
    const elections = memoryElections({ clock });
    const broken = make({ clock, elections: () => elections.of('service.test') });
    const at: number[] = [];
    broken.background.leader('import', () => {
      at.push(clock.monotonic());
      throw new Error('disk full');
    });
    broken.background.start();
    await clock.advance(700);
    assert.deepEqual(at, [0, 100, 300, 700]);
    assert.throws(() => broken.checkers[0]?.check(never), /failed 4 times in a row: disk full/);
    const well = make({ clock, elections: () => elections.of('service.test') });
    let leads = false;
    well.background.leader('import', async (signal) => {
      leads = true;
      await ended(signal);
    });
    well.background.start();
    await clock.advance(100);
    assert.ok(leads);
    await clock.advance(5_000);
    assert.equal(at.length, 4);
    assert.deepEqual(await broken.checkers[0]?.check(never), { runs: 4, running: false });
    await broken.background.stopWorkers();
    await well.background.stopWorkers();
  });

  test('one that is deposed ends, and stands again', async () => {
    const elections = memoryElections();
    const { background } = make({ elections: () => elections.of('service.test') });
    const ends: boolean[] = [];
    let running = 0;
    background.leader('import', async (signal, leadership) => {
      running++;
      await ended(signal);
      ends.push(leadership.isHeld());
    });
    background.start();
    await eventually(() => running === 1);
    elections.depose('service.test', 'import');
    await eventually(() => running === 2);
    assert.deepEqual(ends, [false]);
    await background.stopWorkers();
    assert.deepEqual(ends, [false, true], 'a stop lets the run end before it resigns');
  });
});

test('names and intervals that are none are refused in one sentence', () => {
  const { background } = make();
  const work = (): void => {};
  background.worker('relay', work);
  background.every(500, 'clean', work);
  assert.throws(() => background.worker('clean', work), { name: 'WiringError', message: 'There is a worker, a leader or a schedule "clean" already: give this worker another name.' });
  assert.throws(() => background.every('1h', 'relay', work, {}), /"relay" already: give this schedule another name/);
  for (const wrong of ['a/b', '', 'a\nb', 'x'.repeat(101)]) assert.throws(() => background.worker(wrong, work), /is no name of a worker: use up to 100 characters without "\/"/);
  background.every('1h', 'remove what is old: daily', work);
  for (const wrong of ['5 minutes', '1w', '-1s', '0s', Number.NaN, 0, ''] as never[]) assert.throws(() => background.every(wrong, 'other', work, {}), /is no interval: use a number of ms, or one such as '500ms'/);
  background.every('1.5s', 'other', work, {});
});
