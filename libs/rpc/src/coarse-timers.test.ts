import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '@talaria/base';
import { coarseTimers } from './coarse-timers.ts';
import { stoppedClock } from './testing/stopped-clock.ts';
import { until } from './testing/until.ts';

describe('coarse timers', () => {
  it('fire in their time, never early, however far off, and not when they were cancelled', async () => {
    const timers = coarseTimers();
    const fired: number[] = [];
    const early: number[] = [];
    const delays = [0, 1, 2, 3, 30, 5, 200, 1_100, 31, 2];
    for (const ms of delays) {
      const now = systemClock.monotonic();
      timers.after(systemClock, now, ms, () => {
        fired.push(ms);
        if (systemClock.monotonic() < now + ms) early.push(ms);
      });
      timers.cancel(timers.after(systemClock, now, ms, () => assert.fail('cancelled')));
    }
    // They do not keep the process alive.
    const alive = setInterval(() => {}, 1_000);
    await until('all have fired', () => fired.length === delays.length);
    clearInterval(alive);
    assert.deepEqual(early, []);
    assert.deepEqual(fired.toSorted((a, b) => a - b), delays.toSorted((a, b) => a - b));
  });

  it('begin again after a pause, and a timer may be made or cancelled by another one', async () => {
    const timers = coarseTimers();
    const events: string[] = [];
    const now = systemClock.monotonic();
    const other = timers.after(systemClock, now, 60_000, () => events.push('never'));
    timers.after(systemClock, now, 1, () => {
      timers.cancel(other);
      timers.cancel(other);
      timers.after(systemClock, systemClock.monotonic(), 5, () => events.push('second'));
      events.push('first');
    });
    await until('both', () => events.length === 2);
    timers.after(systemClock, systemClock.monotonic(), 20, () => events.push('third'));
    await until('a third', () => events.length === 3);
    assert.deepEqual(events, ['first', 'second', 'third']);
  });

  it('are exact on any other clock', () => {
    const clock = stoppedClock();
    const timers = coarseTimers();
    const fired: string[] = [];
    timers.after(clock, clock.monotonic(), 10, () => fired.push('a'));
    const cancelled = timers.after(clock, clock.monotonic(), 10, () => fired.push('b'));
    clock.move(9);
    assert.deepEqual(fired, []);
    timers.cancel(cancelled);
    clock.move(1);
    assert.deepEqual(fired, ['a']);
    assert.equal(clock.pending, 0);
  });
});
