import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryElections } from '../index.ts';
import { electionsSuite } from '../testing/elections-suite.ts';

electionsSuite('in memory', false, async () => {
  const elections = memoryElections();
  return { of: elections.of, die: undefined, stop: async () => {} };
});

test('a leader can be deposed, and wins again if it wants to', async () => {
  const elections = memoryElections();
  const mine = elections.of('service.a');
  assert.equal(elections.depose('service.a', 'clean'), false);
  const leader = await mine.campaign('clean');
  assert.equal(elections.depose('service.a', 'clean'), true);
  assert.ok(leader.lost.aborted);
  assert.ok((await mine.campaign('clean')).token > leader.token);
  await mine.close();
});
