import assert from 'node:assert/strict';
import { it } from 'node:test';
import { mutableSetting } from '@talaria/base';
import type { CallPolicySettings } from '../calls/policy-settings.ts';
import { liveEjection } from './live-ejection.ts';
import { failing, world } from './testing/world.ts';

it('ejection goes by the live policies: those of the contract before those of all, from the next change on', () => {
  const policies = mutableSetting<CallPolicySettings>({ '*': { ejection: { enabled: false, base: 5_000 } } });
  const ejection = liveEjection('test.Test', policies);
  assert.deepEqual(ejection.get(), { enabled: false, baseMs: 5_000 });
  assert.equal(ejection.get(), ejection.get(), 'the same object until it changes');
  const some = world(3, { ejection });
  some.run(3_000);
  some.bad.behaviour = failing(some.random, 1);
  some.run(3_000);
  assert.equal(some.stats().ejections, 0);
  policies.set({ '*': { ejection: { enabled: false, base: 5_000 } }, 'test.Test': { ejection: { enabled: true } }, 'test.Other': { ejection: { base: 1 } } });
  some.run(1_000);
  assert.deepEqual([some.stats().ejections, some.stats().state], [1, 'ejected']);
  assert.ok((some.stats().ejected?.forMs ?? 0) > 3_000, 'base is that of all contracts');
  policies.set({ '*': { ejection: { enabled: false } } });
  some.run(100);
  assert.notEqual(some.stats().state, 'ejected');
});
