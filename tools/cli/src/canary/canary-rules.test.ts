import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type JsonValue } from '@talaria/config/store';
import { canaryPlan, type CanaryOptions } from './canary-options.ts';
import { refuseOthers, withAll, withShare } from './canary-rules.ts';

const RELEASE = { service: 'service.account', version: '2.0.0' };
const CONTRACTS = new Set(['account.v1.AccountService']);
const version = (id: string, match: object, share = 1, of = '1.5.0'): JsonValue => ({ id, match, share, action: { version: of } }) as unknown as JsonValue;
const throttle: JsonValue = { id: 'slow', match: {}, share: 1, action: { throttle: { rate: 1, burst: 1 } } };
const ids = (rules: JsonValue): string[] => (rules as unknown as { id: string; share: number }[]).map(({ id, share }) => `${id} ${String(share)}`);

describe('the rule of a canary', () => {
  it('comes before all others and leaves them as they are', () => {
    const earlier = version('canary:service.account@1.5.0', { service: 'service.account' });
    const other = version('canary:service.mail@1.5.0', { service: 'service.mail' });
    const stored = [earlier, throttle, other] as JsonValue;
    assert.deepEqual(ids(withShare(stored, RELEASE, 0.05)), ['canary:service.account@2.0.0 0.05', 'canary:service.account@1.5.0 1', 'slow 1', 'canary:service.mail@1.5.0 1']);
    assert.deepEqual(ids(withShare(withShare(stored, RELEASE, 0.05), RELEASE, 0.5)).slice(0, 2), ['canary:service.account@2.0.0 0.5', 'canary:service.account@1.5.0 1']);
    assert.deepEqual(ids(withAll(stored, RELEASE)), ['canary:service.account@2.0.0 1', 'slow 1', 'canary:service.mail@1.5.0 1']);
    assert.deepEqual(ids(withShare(undefined, RELEASE, 1)), ['canary:service.account@2.0.0 1']);
  });

  it('is refused beside a rule that somebody else made for the service', () => {
    for (const match of [{ service: 'service.account' }, { contract: 'account.v1.AccountService' }, { method: 'account.v1.AccountService/GetAccount' }, { service: 'service.account', method: 'transaction.v1.TransactionService/GetTransaction' }]) {
      assert.throws(() => refuseOthers([version('mine', match)] as JsonValue, RELEASE, CONTRACTS), /The rule "mine" of gateway\.rules decides already/, JSON.stringify(match));
    }
    assert.throws(() => refuseOthers([version('canary:service.account@2.0.0', { service: 'service.account' }, 1, '2.0.0')] as JsonValue, RELEASE, CONTRACTS), /goes to everybody already/);
    const fine = [throttle, version('other', { service: 'service.mail' }), version('by method', { service: 'service.mail', method: 'account.v1.AccountService/GetAccount' }), version('canary:service.account@1.5.0', { service: 'service.account' })];
    refuseOthers(fine as JsonValue, RELEASE, CONTRACTS);
    refuseOthers(undefined, RELEASE, CONTRACTS);
  });
});

describe('the options of a canary', () => {
  const options: CanaryOptions = { steps: '1,5,25,50,100', every: '1m', minCalls: '100', maxErrorIncrease: '1', maxP99Ratio: '1.5' };
  it('are read', () => {
    assert.deepEqual(canaryPlan(options), { steps: [0.01, 0.05, 0.25, 0.5, 1], everyMs: 60_000, maxWaitMs: 600_000, waitMs: undefined, minCalls: 100, maxErrorIncrease: 0.01, maxP99Ratio: 1.5 });
    assert.deepEqual([canaryPlan({ ...options, wait: true }).waitMs, canaryPlan({ ...options, wait: '30s', every: '10m' }).maxWaitMs], [600_000, 6_000_000]);
  });

  it('are refused with one sentence where they are wrong', () => {
    const wrong: Partial<CanaryOptions>[] = [{ steps: '5,1,100' }, { steps: '1,50' }, { steps: '100' }, { steps: 'a,100' }, { steps: '0,100' }, { steps: ',100' }, { steps: '50,101' }, { every: 'soon' }, { every: '0s' }, { minCalls: '0' }, { minCalls: 'x' }, { minCalls: '' }, { maxErrorIncrease: '-1' }, { maxP99Ratio: '0.5' }, { maxWait: '1s' }, { wait: 'x' }];
    for (const one of wrong) assert.throws(() => canaryPlan({ ...options, ...one }), (error: Error) => error.name === 'CliError' && (error as Error & { exitCode: number }).exitCode === 2, JSON.stringify(one));
  });
});
