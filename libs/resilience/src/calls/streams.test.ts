import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Metadata, Status, type CallPlan } from '@talaria/rpc';
import { failed, simulatedClient, testMethod } from './testing/simulated-client.ts';

const method = testMethod('Watch', {}, true);

describe('streams', () => {
  const begun = (client: ReturnType<typeof simulatedClient>): CallPlan => client.policy.begin({ method, options: { metadata: Metadata(), clock: client.clock } as never }) as CallPlan;

  it('that last until their deadlines are no failures once they have answered, and are if they never did', () => {
    for (const [answers, state] of [[true, 'closed'], [false, 'open']] as const) {
      const client = simulatedClient();
      for (let call = 0; call < 30; call++) {
        const plan = begun(client);
        if (answers) plan.answered?.(3);
        client.advance(300);
        const error = failed(Status.DEADLINE_EXCEEDED);
        plan.attempted?.({ startedAt: 0, durationMs: 300, error, timedOut: true, ...(answers ? { firstResponseMs: 3 } : {}) }, 1);
        plan.done?.({ durationMs: 300, attempts: 1, error });
        if (client.stats().breaker.state === 'open') break;
      }
      assert.equal(client.stats().breaker.state, state);
    }
  });

  it('close a breaker by their first responses, though they go on', () => {
    const client = simulatedClient();
    for (let call = 0; call < 20; call++) begun(client).done?.({ durationMs: 1, attempts: 1, error: failed(Status.UNAVAILABLE) });
    assert.throws(() => begun(client), { code: 'unavailable.circuit_open' });
    client.advance(2_000);
    for (let call = 0; call < 4; call++) begun(client).answered?.(1);
    assert.equal(client.stats().breaker.state, 'closed');
  });

  it('that break after they have answered are failures', () => {
    const client = simulatedClient();
    for (let call = 0; call < 20; call++) {
      const plan = begun(client);
      plan.answered?.(1);
      plan.done?.({ durationMs: 100, attempts: 1, error: failed(Status.UNAVAILABLE) });
    }
    assert.equal(client.stats().failures, 20);
  });
});
