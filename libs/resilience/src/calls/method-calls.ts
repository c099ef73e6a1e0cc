import type { Clock, Logger } from '@talaria/base';
import { unavailable } from '@talaria/errors';
import type { ContractMethod, MethodStats } from '@talaria/rpc';
import { breaker, type Breaker } from './breaker.ts';
import { clientRate, type ClientRate } from './client-rate.ts';
import { contractPolicy } from './contract-policy.ts';
import { latencyHistogram, type LatencyHistogram } from './latency-histogram.ts';
import { resolvePolicy, type Budget, type CallPolicySettings, type MethodPolicy } from './policy-settings.ts';
import type { RetryBudget } from './retry-budget.ts';

/** What the methods of a contract share. */
export interface ContractCalls {
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: () => number;
  readonly budget: RetryBudget;
  /** As the live setting says now. */
  budgetPolicy: Budget;
}

/** What is known of the calls of one method. Counts are of the life of the process. */
export interface MethodCalls {
  readonly shared: ContractCalls;
  /** `account.v1.AccountService/GetAccount`. */
  readonly name: string;
  /** Whether a call of it may be executed twice. */
  readonly repeatable: boolean;
  readonly unary: boolean;
  readonly breaker: Breaker;
  readonly latency: LatencyHistogram;
  /** As contract and live setting say now. */
  policy: MethodPolicy;
  rate: ClientRate | undefined;
  /** Calls that have begun and are not over, and hedges that run for them. */
  inFlight: number;
  hedgesInFlight: number;
  calls: number;
  failures: number;
  retries: number;
  hedges: number;
  hedgesWon: number;
  /** Attempts that the budget allowed, and refused. */
  spent: number;
  denied: number;
  /** No hedges before: somebody was overloaded. */
  calmAt: number;
  /** The status of the last failure. */
  lastFailure: string;
  /** Takes over a change of the live setting. */
  update(live: CallPolicySettings | undefined): void;
  /** What a call fails with that the breaker refuses. */
  refusal(now: number): Error;
  describe(now: number): MethodStats;
}

/** So often at most it is logged that calls are refused by chance. */
const LOG_EVERY_MS = 10_000;

/** Begins to keep track of a method. */
export function methodCalls({ contract, name: method, options, requestStream, responseStream }: ContractMethod, shared: ContractCalls, live: CallPolicySettings | undefined): MethodCalls {
  const { log, clock, random } = shared;
  const name = `${contract}/${method}`;
  const fromContract = contractPolicy(options);
  const latency = latencyHistogram();
  let openedAt = 0;
  let loggedAt = -Infinity;

  const onChange = (state: 'open' | 'closed'): void => {
    if (state === 'open') {
      openedAt = clock.now();
      log.warn('breaker opened: calls fail at once, but for one trial a second', { method: name, consecutiveFailures: calls.policy.breaker.consecutive_failures, lastFailure: calls.lastFailure });
    } else log.info('breaker closed: calls go through again', { method: name, afterMs: clock.now() - openedAt });
  };

  const calls: MethodCalls = {
    ...{ shared, name, latency, repeatable: options.idempotencyLevel === 'IDEMPOTENT' || options.idempotencyLevel === 'NO_SIDE_EFFECTS', unary: !requestStream && !responseStream },
    breaker: breaker({ random, onChange }),
    policy: resolvePolicy(contract, method, fromContract, live),
    rate: undefined,
    ...{ inFlight: 0, hedgesInFlight: 0, calls: 0, failures: 0, retries: 0, hedges: 0, hedgesWon: 0, spent: 0, denied: 0, calmAt: 0, lastFailure: '' },
    update(now) {
      const before = calls.policy;
      calls.policy = resolvePolicy(contract, method, fromContract, now);
      // One that has not changed keeps its bucket and those who wait.
      if (JSON.stringify(before.rate) !== JSON.stringify(calls.policy.rate)) calls.rate = clientRate(calls.policy.rate, clock);
      if (before.breaker.mode !== calls.policy.breaker.mode) log.info('the mode of a breaker was changed', { method: name, mode: calls.policy.breaker.mode, before: before.breaker.mode });
    },
    refusal(now) {
      const { state, rejectProbability } = calls.breaker.describe(now, calls.policy.breaker);
      const params = { contract, method, state };
      if (state === 'forced_open') return unavailable('circuit_open', `Calls of ${name} are switched off: its breaker is open in the live setting call.policies`, { params });
      const retryAfterMs = Math.ceil(calls.breaker.nextTrialMs(now));
      const next = retryAfterMs > 0 ? `in ${retryAfterMs} ms` : 'with the next call';
      if (state === 'closed') {
        if (now >= loggedAt + LOG_EVERY_MS) {
          loggedAt = now;
          log.warn('breaker refuses calls by chance: too many of the last 10 s failed', { method: name, share: Math.round(rejectProbability * 100) / 100, lastFailure: calls.lastFailure });
        }
        return unavailable('circuit_open', `${Math.round(rejectProbability * 100)} % of the calls of ${name} are not sent, since too many of the last 10 s failed (${calls.lastFailure}); the next trial goes ${next}`, { params, retryAfterMs });
      }
      const since = new Date(openedAt).toISOString();
      return unavailable('circuit_open', `Calls of ${name} are not sent since ${since}, since ${calls.policy.breaker.consecutive_failures} in a row failed (${calls.lastFailure}); the next trial goes ${next}`, { params: { ...params, since }, retryAfterMs });
    },
    describe(now) {
      const p50Ms = latency.quantile('p50', now);
      const p95Ms = latency.quantile('p95', now);
      return {
        method: name,
        breaker: calls.breaker.describe(now, calls.policy.breaker),
        budget: { left: shared.budget.left(now, shared.budgetPolicy), spent: calls.spent, refused: calls.denied },
        ...(p50Ms === undefined ? {} : { p50Ms }),
        ...(p95Ms === undefined ? {} : { p95Ms }),
        ...{ calls: calls.calls, failures: calls.failures, retries: calls.retries, hedges: calls.hedges, hedgesWon: calls.hedgesWon },
      };
    },
  };
  calls.rate = clientRate(calls.policy.rate, clock);
  return calls;
}
