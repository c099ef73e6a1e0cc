import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Metadata, Status } from '@talaria/rpc';
import { createHolds } from './holds.ts';

const options = { metadata: Metadata() };

it('waits for those that are held as long as they take, and ends them at once when that is asked for', async () => {
  const holds = createHolds();
  const signal = new AbortController();
  const released = assert.rejects(holds.wait(Infinity, '/a.A/B', { ...options, signal: signal.signal }), { code: Status.CANCELLED });
  const ended = assert.rejects(holds.wait(Infinity, '/a.A/B', options), { code: Status.UNAVAILABLE });
  assert.equal(holds.count, 2);
  let over = false;
  const patient = holds.close(Infinity).then(() => (over = true));
  signal.abort();
  await released;
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([over, holds.count], [false, 1]);
  await holds.close(0);
  await ended;
  await patient;
  assert.equal(holds.count, 0);
});

it('ends them after the time that is given', async () => {
  const holds = createHolds();
  const held = assert.rejects(holds.wait(Infinity, '/a.A/B', options), { code: Status.UNAVAILABLE, outcome: 'maybe_executed' });
  await holds.close(20);
  await held;
});

it('knows deadlines, also such as have passed', async () => {
  const holds = createHolds();
  await assert.rejects(holds.wait(Infinity, '/a.A/B', { ...options, deadline: performance.now() - 1 }), { code: Status.DEADLINE_EXCEEDED });
  await assert.rejects(holds.wait(60_000, '/a.A/B', { ...options, deadline: performance.now() + 10 }), { code: Status.DEADLINE_EXCEEDED });
  await holds.wait(1, '/a.A/B', { ...options, deadline: performance.now() + 60_000 });
  assert.equal(holds.count, 0);
});
