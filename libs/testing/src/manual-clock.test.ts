import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep } from '@talaria/base';
import { manualClock } from './manual-clock.ts';

test('time moves only when it is told to, and calls what is due in its order', async () => {
  const clock = manualClock(1_000);
  const events: string[] = [];
  clock.after(20, () => events.push(`second at ${clock.now()}`));
  clock.after(10, () => events.push(`first at ${clock.now()}`));
  const cancel = clock.after(15, () => events.push('cancelled'));
  cancel();
  await clock.advance(5);
  assert.deepEqual(events, []);
  await clock.advance(20);
  assert.deepEqual(events, ['first at 1010', 'second at 1020']);
  assert.equal(clock.monotonic(), 25);
});

test('what a timer starts gets its turn, and its own timers fire if they are due', async () => {
  const clock = manualClock();
  let slept = 0;
  const sleeping = (async () => {
    for (; slept < 3; slept++) await sleep(10, { clock });
  })();
  await clock.advance(30);
  await sleeping;
  assert.equal(slept, 3);
});
