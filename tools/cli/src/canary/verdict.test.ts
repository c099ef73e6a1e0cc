import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type RuleStats } from '@talaria/contracts/talaria/gateway/v1/gateway';
import { compared, quantile, type Figures } from './figures.ts';
import { AT_THE_END, excess, MEANWHILE, worse, type Limits } from './verdict.ts';

const LIMITS: Limits = { minCalls: 50, maxErrorIncrease: 0.01, maxP99Ratio: 1.5 };
/** Calls that took a time each: [how many, ms]. */
const figures = (calls: number, errors: number, latency: readonly (readonly [number, number])[] = [[calls, 10]]): Figures => ({ calls, errors, latency: new Map(latency.map(([count, ms]) => [ms, count])) });
const verdict = (canary: Figures, others: Figures, limits = LIMITS): string | undefined => worse({ service: 'service.a', canary, others }, limits, AT_THE_END);

describe('a version is worse', () => {
  it('when more of its calls fail than chance explains', () => {
    assert.match(verdict(figures(100, 30), figures(1_000, 1)) ?? '', /^30\.0% of 100 calls of service\.a failed, and 0\.1% of 1000 with other versions$/);
    assert.equal(verdict(figures(100, 1), figures(1_000, 0)), undefined, 'one call is chance');
    assert.equal(verdict(figures(100_000, 900), figures(100_000, 0)), undefined, 'less than the increase that is allowed');
    assert.equal(verdict(figures(100, 30), figures(100, 30)), undefined, 'the others fail as often');
    assert.equal(verdict(figures(100, 0), figures(100, 30)), undefined);
    assert.equal(verdict(figures(49, 49), figures(1_000, 0)), undefined, 'too few calls');
    assert.equal(verdict(figures(100, 100), figures(49, 0)), undefined, 'too few to compare with');
  });

  it('when its slowest hundredth is slower than it may be', () => {
    const others = figures(1_000, 0, [[985, 10], [15, 40]]);
    assert.match(verdict(figures(100, 0, [[90, 10], [10, 100]]), others) ?? '', /^the p99 of 100 calls of service\.a was 98 ms, and 39 ms with other versions$/);
    assert.equal(verdict(figures(100, 0, [[98, 10], [2, 50]]), others), undefined, 'within the ratio');
    assert.equal(verdict(figures(100, 0, [[99, 10], [1, 1_000]]), others), undefined, 'one call is chance');
    assert.equal(verdict(figures(100, 0, [[50, 1], [50, 4]]), figures(100, 0, [[100, 1]])), undefined, 'milliseconds are noise');
    assert.equal(verdict(figures(100, 0, []), figures(100, 0, [])), undefined, 'streams have no latency');
  });

  it('rarely by chance alone', () => {
    let random = 7;
    const next = (): number => (random = (random * 48_271) % 2_147_483_647) / 2_147_483_647;
    const sample = (calls: number): Figures => figures(calls, Array.from({ length: calls }, next).filter((one) => one < 0.02).length);
    const alarms = Array.from({ length: 2_000 }, () => verdict(sample(100), sample(400))).filter((one) => one !== undefined).length;
    assert.ok(alarms < 60, String(alarms));
    assert.ok(MEANWHILE > AT_THE_END);
    assert.deepEqual([excess(0, 10, 0, 10), excess(10, 10, 10, 10), excess(1, 0, 1, 10)], [0, 0, 0]);
  });
});

describe('figures of gateways', () => {
  const row = (service: string, version: string, inShare: boolean, calls: number, errors = 0, ms = 10) => ({ service, version, inShare, calls: BigInt(calls), errors: BigInt(errors), latency: { p50Ms: 0, p90Ms: 0, p99Ms: 0, buckets: [{ upperMs: ms, count: BigInt(calls) }] } });
  const stats = (...versions: RuleStats['versions']): RuleStats => ({ id: 'c', share: 0.1, since: undefined, refused: 0n, versions });

  it('are added up, by the version that served and, behind others, by the share', () => {
    const one = stats(row('service.a', '2', true, 10, 1), row('service.a', '1', false, 90, 2), row('service.a', '1', true, 5, 5), row('service.b', '7', true, 3, 1), row('service.b', '7', false, 30));
    const two = stats(row('service.a', '2', true, 10, 0, 20), row('service.a', '1.1', false, 10));
    const found = compared([one, two], { service: 'service.a', version: '2' });
    assert.deepEqual(found.map(({ service, canary, others }) => [service, canary.calls, canary.errors, others.calls, others.errors]), [['service.a', 20, 1, 100, 2], ['service.b', 3, 1, 30, 0]]);
    assert.deepEqual([...(found[0]?.canary.latency ?? [])], [[10, 10], [20, 10]]);
  });

  it('tell quantiles', () => {
    const found = figures(100, 0, [[1, 1_000], [50, 10], [49, 20]]);
    assert.deepEqual([0.5, 0.51, 0.99, 1].map((q) => Math.round(quantile(found, q) ?? 0)), [10, 20, 20, 981]);
    assert.equal(quantile(figures(0, 0, []), 0.5), undefined);
  });
});
