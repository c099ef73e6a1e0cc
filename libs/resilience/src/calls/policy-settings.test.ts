import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { Breaker_Mode, CallPolicy } from '@talaria/contracts/talaria/options/v1/options';
import fc from 'fast-check';
import { contractPolicy } from './contract-policy.ts';
import { DEFAULT_POLICY, resolveBudget, resolvePolicy, type CallPolicySettings, type MethodPolicySettings } from './policy-settings.ts';

const { budget: defaultBudget, ...others } = DEFAULT_POLICY;
const defaults = { ...others, rate: { per_second: 0, wait: false, max_waiting: 1_000 } };
const resolve = (options: MethodPolicySettings, live?: CallPolicySettings) => {
  const { retry, hedge, breaker, attempt_timeout, rate } = resolvePolicy('a.A', 'Get', options, live);
  return { retry, hedge, breaker, attempt_timeout, rate };
};

const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });
const settings: fc.Arbitrary<MethodPolicySettings> = fc.record(
  {
    retry: optional(fc.record({ attempts: optional(fc.integer({ min: 1, max: 5 })), backoff: optional(fc.nat(1_000)), max_backoff: optional(fc.nat(1_000)) }, { requiredKeys: [] })),
    hedge: optional(fc.record({ enabled: optional(fc.boolean()), after: optional(fc.constantFrom('p95' as const, 20)) }, { requiredKeys: [] })),
    breaker: optional(fc.record({ mode: optional(fc.constantFrom('auto' as const, 'open' as const, 'closed' as const)), k: optional(fc.constantFrom(1.5, 3)) }, { requiredKeys: [] })),
    attempt_timeout: optional(fc.constantFrom('auto' as const, 'none' as const, 300)),
    rate: optional(fc.record({ per_second: optional(fc.nat(9)), wait: optional(fc.boolean()) }, { requiredKeys: [] })),
  },
  { requiredKeys: [] },
);

describe('the policy of a method', () => {
  it('is the default where nobody says anything', () => {
    assert.deepEqual(resolve({}), defaults);
    assert.deepEqual(resolve({}, { 'a.A/List': { retry: { attempts: 9 } }, 'a.AA': { retry: { attempts: 9 } }, constructor: {} }), defaults);
    assert.deepEqual(resolveBudget('a.A', undefined), defaultBudget);
  });

  it('is what the most specific place says that says something, field by field', () => {
    fc.assert(
      fc.property(settings, optional(settings), optional(settings), optional(settings), (options, all, contract, method) => {
        const live = { ...(all ? { '*': all } : {}), ...(contract ? { 'a.A': contract } : {}), ...(method ? { 'a.A/Get': method } : {}), 'b.B': { retry: { attempts: 99 } } };
        const got = resolve(options, live) as unknown as Record<string, Record<string, unknown>>;
        const places = [method, contract, all, options, defaults] as unknown as readonly (Record<string, Record<string, unknown> | undefined> | undefined)[];
        assert.deepEqual(got['attempt_timeout'], places.find((place) => place?.['attempt_timeout'] !== undefined)?.['attempt_timeout']);
        for (const [part, fields] of [['retry', ['attempts', 'backoff', 'max_backoff']], ['hedge', ['enabled', 'after']], ['breaker', ['mode', 'k', 'consecutive_failures']], ['rate', ['per_second', 'wait', 'burst']]] as const) {
          for (const field of fields) assert.deepEqual(got[part]?.[field], places.find((place) => place?.[part]?.[field] !== undefined)?.[part]?.[field], `${part}.${field}`);
        }
      }),
    );
  });

  it('leaves a budget to contracts', () => {
    const live = { '*': { budget: { ratio: 0.1 } }, 'a.A': { budget: { per_second: 9 } }, 'a.A/Get': { budget: { ratio: 1 } } };
    assert.deepEqual(resolveBudget('a.A', live), { ratio: 0.1, per_second: 9 });
    assert.deepEqual(resolveBudget('b.B', live), { ratio: 0.1, per_second: 3 });
  });
});

describe('the options of a contract', () => {
  const option = (policy: Partial<CallPolicy>): Uint8Array => {
    const whole = { retry: undefined, hedge: undefined, breaker: undefined, attemptTimeout: undefined, rate: undefined, ...policy };
    return new BinaryWriter().bytes(CallPolicy.encode(whole).finish()).finish();
  };
  const options = (...bytes: Uint8Array[]): object => ({ _unknownFields: { [(52003 << 3) | 2]: bytes } });

  it('say what they say, and nothing else', () => {
    assert.deepEqual(resolve(contractPolicy({})), defaults);
    assert.deepEqual(resolve(contractPolicy(options(option({})))), defaults);
    const said = contractPolicy(
      options(
        option({
          retry: { attempts: 2, backoff: { seconds: 0n, nanos: 5_000_000 }, maxBackoff: undefined },
          hedge: { enabled: false, after: undefined },
          breaker: { mode: Breaker_Mode.MODE_CLOSED, consecutiveFailures: 7, k: 0.5 },
          attemptTimeout: { seconds: 1n, nanos: 500_000_000 },
          rate: { perSecond: 5, burst: 0, wait: true, maxWaiting: 3 },
        }),
      ),
    );
    assert.deepEqual(resolve(said), {
      retry: { attempts: 2, backoff: 5, max_backoff: 1_000 },
      hedge: { enabled: false, after: 'p95' },
      breaker: { mode: 'closed', consecutive_failures: 7, k: 2 },
      attempt_timeout: 1_500,
      rate: { per_second: 5, wait: true, max_waiting: 3 },
    });
  });

  it('may be written in several pieces', () => {
    const pieces = options(
      option({ retry: { attempts: 5, backoff: undefined, maxBackoff: undefined } }),
      option({ retry: { attempts: undefined, backoff: { seconds: 2n, nanos: 0 }, maxBackoff: undefined } }),
    );
    assert.deepEqual(resolve(contractPolicy(pieces)).retry, { attempts: 5, backoff: 2_000, max_backoff: 1_000 });
  });

  it('may be given by definitions that are made at run time', () => {
    assert.equal(resolve(contractPolicy({ policy: { retry: { attempts: 1 } } })).retry.attempts, 1);
  });
});
