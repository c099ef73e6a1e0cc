import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createFallbackUse } from './fallback-use.ts';

it('counts, and its checker fails for a minute after each use', async () => {
  let now = 0;
  const use = createFallbackUse({ clock: { now: () => now, monotonic: () => now, after: () => () => {} } });
  const { signal } = new AbortController();
  use.declare('a.A/Get', 'stale');
  assert.deepEqual(await use.checker.check(signal), { 'a.A/Get': 0 });
  use.used('a.A/Get', 'stale', 'unavailable.not_sent');
  use.used('a.A/Get', 'stale', 'timeout.deadline');
  use.used('a.A/List', 'default', 'unavailable.not_sent');
  now = 60_000;
  assert.throws(() => use.checker.check(signal), /a\.A\/Get \(stale, 2 since the start, last for timeout\.deadline\), a\.A\/List \(default, 1 since the start/);
  assert.ok(!use.checker.critical);
  now = 60_001;
  assert.deepEqual(await use.checker.check(signal), { 'a.A/Get': 2, 'a.A/List': 1 });
  assert.deepEqual(use.describe()[0], { method: 'a.A/Get', kind: 'stale', used: 2, lastUsedMs: 60_001 });
});
