import assert from 'node:assert/strict';
import { it } from 'node:test';
import { retryDelay } from './consumer.ts';

it('pauses twice as long after each failure, up to four hours, and then no more', () => {
  assert.equal(retryDelay(1, () => 1), 500);
  assert.equal(retryDelay(2, () => 0), 500);
  assert.equal(retryDelay(19, () => 1), 4 * 60 * 60 * 1000);
  assert.equal(retryDelay(20), undefined);
});
