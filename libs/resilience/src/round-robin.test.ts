import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Candidate, ConnectionState, PickInfo } from '@talaria/rpc';
import { roundRobin } from './round-robin.ts';

const candidate = (id: string, state: ConnectionState = 'ready'): Candidate => ({ endpoint: { id, addresses: [] }, connection: { state } as Candidate['connection'] });
const info = (...tried: Candidate[]): PickInfo => ({ method: { path: '/a.A/B', requestStream: false, responseStream: false }, tried: new Set(tried), hedge: false });
const picks = (count: number, candidates: readonly Candidate[], about = info()): Record<string, number> => {
  const picker = roundRobin();
  const counts: Record<string, number> = {};
  for (let pick = 0; pick < count; pick++) {
    const { id } = picker.pick(candidates, about).endpoint;
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts;
};

it('spreads evenly', () => {
  assert.deepEqual(picks(300, [candidate('a'), candidate('b', 'idle'), candidate('c', 'connecting')]), { a: 100, b: 100, c: 100 });
});

it('avoids those that failed or go away, unless there is no other', () => {
  const dead = candidate('dead', 'failed');
  const leaving = candidate('leaving', 'draining');
  assert.deepEqual(picks(10, [dead, leaving, candidate('ok')]), { ok: 10 });
  assert.deepEqual(picks(10, [dead, leaving]), { dead: 5, leaving: 5 });
});

it('avoids those that this call tried, even for one whose connection failed', () => {
  const tried = candidate('tried');
  assert.deepEqual(picks(10, [tried, candidate('dead', 'failed')], info(tried)), { dead: 10 });
  assert.deepEqual(picks(10, [tried], info(tried)), { tried: 10 });
});
