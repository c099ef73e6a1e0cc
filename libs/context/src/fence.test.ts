import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Leadership } from '@talaria/base';
import { currentCall, currentFences, detached, runFenced, runInCall } from './index.ts';

function lead(name: string): Leadership & { readonly losing: AbortController } {
  const losing = new AbortController();
  return { name, token: 1n, lost: losing.signal, losing, isHeld: () => !losing.signal.aborted, refused: () => {}, resign: async () => {} };
}

test('what runs as a leader has its fences, each once, and what is detached has none', async () => {
  const [one, two] = [lead('one'), lead('two')];
  assert.deepEqual(currentFences(), []);
  await runFenced(one, async () => {
    await Promise.resolve();
    assert.deepEqual(currentFences(), [one]);
    runFenced(two, () => assert.deepEqual(currentFences(), [one, two]));
    runFenced(one, () => assert.deepEqual(currentFences(), [one]));
    detached(() => assert.deepEqual(currentFences(), []));
  });
  assert.deepEqual(currentFences(), []);
});

test('a leadership that its clock has ended is over before the next call can begin', () => {
  const one = lead('one');
  const frozen: Leadership = { ...one, isHeld: () => (one.losing.abort(new Error('its time is over')), false) };
  runFenced(frozen, () => assert.match(String(currentCall().signal?.reason), /its time is over/));
});

test('its calls end when the leadership is lost, and when the call around it ends', () => {
  const [one, hangUp] = [lead('one'), new AbortController()];
  const signals = [runFenced(one, () => currentCall().signal), runInCall({ signal: hangUp.signal }, () => runFenced(lead('two'), () => currentCall().signal))];
  assert.deepEqual(signals.map((signal) => signal?.aborted), [false, false]);
  one.losing.abort(new Error('overtaken'));
  hangUp.abort();
  assert.deepEqual(signals.map((signal) => signal?.aborted), [true, true]);
  assert.match(String(signals[0]?.reason), /overtaken/);
});
