import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '@talaria/base';
import { currentCall, runInCall } from '@talaria/context';
import { eventually } from '@talaria/testing';
import { createWorkers } from './workers.ts';

test('a worker that fails or returns runs again, outside of the call that added it, until it is stopped', async () => {
  let runs = 0;
  const calls: unknown[] = [];
  const workers = createWorkers(silentLogger);
  workers.start();
  runInCall({ requestId: 'req_1' }, () =>
    workers.add('ticker', async () => {
      calls.push(currentCall().requestId);
      if (++runs === 1) throw new Error('once');
    }),
  );
  await eventually(() => runs >= 3);
  await workers.stop();
  const atStop = runs;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(runs, atStop);
  assert.deepEqual(new Set(calls), new Set([undefined]));
});

test('stopping waits for what a worker is at', async () => {
  let finished = false;
  const workers = createWorkers(silentLogger);
  workers.add('careful', async (signal) => {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    finished = true;
  });
  workers.start();
  await workers.stop();
  assert.ok(finished);
});
