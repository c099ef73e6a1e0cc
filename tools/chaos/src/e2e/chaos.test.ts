import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chaos } from '../chaos.ts';
import type { PlannedFault } from '../plan.ts';

/** One of each sort, so that a short run meets all that the long one throws. */
const FAULTS: readonly PlannedFault[] = [
  { atMs: 500, fault: { kind: 'kill', process: 'transaction-service#1' } },
  { atMs: 1_500, fault: { kind: 'freeze', process: 'account-service#2', ms: 2_000 } },
  { atMs: 2_500, fault: { kind: 'receiver fails', ms: 2_000 } },
  { atMs: 4_000, fault: { kind: 'restart', process: 'transaction-service#2' } },
  { atMs: 5_000, fault: { kind: 'failing calls', service: 'service.account', percentage: 30, ms: 2_000 } },
  { atMs: 5_000, fault: { kind: 'cut calls', service: 'service.transaction', percentage: 50, ms: 2_000 } },
  { atMs: 6_000, fault: { kind: 'etcd emptied' } },
  { atMs: 7_500, fault: { kind: 'postgres killed' } },
  { atMs: 9_000, fault: { kind: 'kill', process: 'webhook-service#1' } },
  { atMs: 10_000, fault: { kind: 'kill', process: 'api-gateway' } },
];

test('after faults of every sort nothing that was acknowledged is lost or doubled', { timeout: 600_000 }, async (t) => {
  const result = await chaos({ seconds: 12, seed: 5, faults: FAULTS, say: (line) => t.diagnostic(line), clients: 3 });
  assert.deepEqual(result.wrong, []);
  assert.ok(result.acknowledged > 0 && result.delivered >= result.acknowledged, `${result.acknowledged} acknowledged, ${result.delivered} delivered`);
  assert.equal(result.faults.length, FAULTS.length);
  assert.deepEqual(result.faults.filter(({ outcome }) => outcome.startsWith('failed')), []);
});
