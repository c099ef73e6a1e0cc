import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from './eventually.ts';

test('polls until the condition neither throws nor answers false or nothing, and gives its answer', async () => {
  const notYet = (): never => {
    throw new Error('not yet');
  };
  const answers = [() => false, () => undefined, () => null, notYet, () => 0];
  assert.equal(await eventually(() => answers.shift()?.(), { intervalMs: 1 }), 0);
});

test('gives up with the last error', async () => {
  await assert.rejects(
    eventually(
      () => {
        throw new Error('never');
      },
      { limitMs: 10, intervalMs: 1 },
    ),
    /Not within 10 ms: never/,
  );
});
