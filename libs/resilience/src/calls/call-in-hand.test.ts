import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Metadata, Status, type CallPlan, type ContractMethod, type FailedAttempt } from '@talaria/rpc';
import type { CallPolicySettings } from './policy-settings.ts';
import { failed, simulatedClient, testMethod, type SimulatedClient } from './testing/simulated-client.ts';

const get = testMethod();
const put = testMethod('Put', {});
const live = (settings: CallPolicySettings) => ({ live: { get: () => settings, onChange: () => () => {} } });
const begin = ({ policy, clock }: SimulatedClient, method: ContractMethod = get, deadlineMs = 1_000): CallPlan =>
  policy.begin({ method, options: { metadata: Metadata(), clock, deadline: clock.monotonic() + deadlineMs } as never }) as CallPlan;
const failure = (error: FailedAttempt['error'], attempt = 1): FailedAttempt => ({ method: get, error, attempt, untried: 2, requestsTaken: false, timedOut: false, inFlight: 0 });
/** Calls that take 1 to 20 ms, which leaves a p95 of about that. */
const warm = (client: SimulatedClient, slowestMs = 20): void => {
  let turn = 0;
  client.run({ perSecond: 300, forMs: 2_000, answer: () => ({ afterMs: 1 + (turn++ % slowestMs) }) });
};

describe('a hedge', () => {
  it('goes after half of the time while nothing is known, and after the 95th percentile when it is', () => {
    const client = simulatedClient();
    assert.equal(begin(client).hedgeAfterMs?.(1), 500);
    warm(client);
    const ms = begin(client).hedgeAfterMs?.(1) as number;
    assert.ok(ms >= 19 && ms <= 22, String(ms));
  });

  it('never goes early for the noise of a machine', () => {
    const client = simulatedClient();
    warm(client, 2);
    assert.equal(begin(client).hedgeAfterMs?.(1), 10);
  });

  it('does not come to be by hedges that won: what was given up counts as slow', () => {
    const client = simulatedClient();
    warm(client, 30);
    const before = begin(client).hedgeAfterMs?.(1) as number;
    for (let call = 0; call < 300; call++) begin(client).attempted?.({ startedAt: client.clock.monotonic() - 200, durationMs: 200, abandoned: true }, 1);
    client.advance(300);
    assert.ok((begin(client).hedgeAfterMs?.(1) as number) > before);
    for (let call = 0; call < 3_000; call++) begin(client).attempted?.({ startedAt: client.clock.monotonic() - 1, durationMs: 1, abandoned: true }, 1);
    client.advance(300);
    assert.ok((begin(client).hedgeAfterMs?.(1) as number) > before, 'and what its caller gave up at once says nothing');
  });

  it('is not for what must not be repeated, streams, calls without time, the last attempt, or where it is switched off', () => {
    const client = simulatedClient();
    warm(client);
    assert.equal(begin(client, put).hedgeAfterMs?.(1), undefined);
    assert.equal(begin(client, testMethod('Watch', undefined, true)).hedgeAfterMs?.(1), undefined);
    assert.equal(begin(client, get, 25).hedgeAfterMs?.(1), undefined);
    assert.ok(begin(client).hedgeAfterMs?.(2));
    assert.equal(begin(client).hedgeAfterMs?.(3), undefined);
    assert.equal(begin(simulatedClient(live({ '*': { hedge: { enabled: false } } }))).hedgeAfterMs?.(1), undefined);
    assert.equal(begin(simulatedClient(live({ '*': { retry: { attempts: 1 } } }))).hedgeAfterMs?.(1), undefined);
    assert.equal(begin(simulatedClient(live({ '*': { hedge: { after: 7 } } }))).hedgeAfterMs?.(1), 7);
  });

  it('leaves half of the budget to retries', () => {
    const client = simulatedClient();
    const plan = begin(client);
    let hedges = 0;
    while (plan.hedge?.(2)) {
      hedges++;
      plan.attempted?.({ startedAt: 0, durationMs: 3 }, 2);
    }
    assert.equal(hedges, 15);
    let retries = 0;
    while (plan.again(failure(failed(Status.UNAVAILABLE)))) retries++;
    assert.equal(retries, 15);
    assert.deepEqual([client.stats().budget.spent, client.stats().budget.refused, client.stats().hedges, client.stats().retries], [30, 2, 15, 15]);
  });

  it('is not made while many that were do not come back either: everybody is slow then', () => {
    const client = simulatedClient();
    warm(client);
    const plans = Array.from({ length: 50 }, () => begin(client));
    const hedged = plans.filter((plan) => plan.hedge?.(2));
    assert.equal(hedged.length, 10, 'one for ten calls in flight, and five');
    hedged[0]?.attempted?.({ startedAt: 0, durationMs: 3 }, 2);
    assert.equal(plans[49]?.hedge?.(2), true);
    assert.equal(plans[48]?.hedge?.(2), false);
    for (const plan of plans) plan.done?.({ durationMs: 3, attempts: 2 });
    assert.deepEqual(Array.from({ length: 7 }, () => begin(client).hedge?.(2)), [true, true, true, true, true, true, false], 'those that never ran are over with their calls');
  });

  it('is not made while somebody is overloaded or fails', () => {
    const client = simulatedClient();
    begin(client).again(failure(failed(Status.RESOURCE_EXHAUSTED)));
    assert.equal(begin(client).hedge?.(2), false);
    client.advance(5_000);
    assert.equal(begin(client).hedge?.(2), true);
    const plan = begin(client);
    for (let call = 0; call < 20; call++) begin(client).done?.({ durationMs: 1, attempts: 1, error: failed(Status.INTERNAL) });
    assert.equal(plan.hedge?.(2), false);
  });

  it('that answers is counted', () => {
    const client = simulatedClient();
    const plan = begin(client);
    plan.hedge?.(2);
    plan.attempted?.({ startedAt: 0, durationMs: 3 }, 2);
    assert.equal(client.stats().hedgesWon, 1);
  });
});

describe('an attempt', () => {
  it('may take half of the time where that is far beyond what calls take, and else as long as it wants', () => {
    const client = simulatedClient();
    assert.equal(begin(client).attemptTimeoutMs, undefined, 'nothing is known');
    warm(client);
    assert.equal(begin(client).attemptTimeoutMs, 500);
    assert.equal(begin(client, get, 300).attemptTimeoutMs, undefined);
    assert.equal(begin(client, put).attemptTimeoutMs, undefined);
    assert.equal(begin(client, get, Infinity).attemptTimeoutMs, undefined);
  });

  it('may take what is set, whatever its method', () => {
    const client = simulatedClient(live({ '*': { attempt_timeout: 70 } }));
    assert.deepEqual([get, put].map((method) => begin(client, method).attemptTimeoutMs), [70, 70]);
  });
});

describe('a retry', () => {
  it('is not for a call whose time is over by then', () => {
    const client = simulatedClient();
    const pushback = failed(Status.UNAVAILABLE, 'maybe_executed', Metadata({ 'grpc-retry-pushback-ms': '200' }));
    assert.equal(begin(client, get, 201).again(failure(pushback)), 200);
    assert.equal(begin(client, get, 200).again(failure(pushback)), false);
    assert.equal(client.stats().budget.spent, 1);
  });

  it('costs nothing for what was never sent, and for the first that stops', () => {
    const client = simulatedClient(live({ '*': { budget: { ratio: 0, per_second: 0 } } }));
    const plan = begin(client, put);
    assert.equal(plan.again(failure(failed(Status.UNAVAILABLE, 'never_sent'))), true);
    assert.equal(plan.again(failure(failed(Status.UNAVAILABLE, 'refused'))), true);
    assert.equal(plan.again(failure(failed(Status.UNAVAILABLE, 'refused'), 2)), false, 'all may be stopping');
  });

  it('is not made once the breaker is open, except of a trial', () => {
    const client = simulatedClient();
    const plan = begin(client);
    for (let call = 0; call < 20; call++) begin(client).done?.({ durationMs: 1, attempts: 1, error: failed(Status.INTERNAL) });
    assert.equal(plan.again(failure(failed(Status.UNAVAILABLE))), false);
    assert.equal(plan.again(failure(failed(Status.UNAVAILABLE, 'never_sent'))), true);
    client.advance(1_500);
    assert.equal(begin(client).again(failure(failed(Status.UNAVAILABLE))), true);
  });

  it('leaves its count with the error', () => {
    const client = simulatedClient();
    const error = failed(Status.INTERNAL);
    begin(client).done?.({ durationMs: 1, attempts: 2, error });
    assert.equal(error.attempts, 2);
  });
});
