import { systemClock, type Clock, type LiveSetting, type Logger } from '@talaria/base';
import type { CallPlan, CallPolicy, ContractMethod, PolicyCall } from '@talaria/rpc';
import { CallInHand } from './call-in-hand.ts';
import { methodCalls, type ContractCalls, type MethodCalls } from './method-calls.ts';
import { resolveBudget, type CallPolicySettings } from './policy-settings.ts';
import { retryBudget } from './retry-budget.ts';

/** How policies are made. */
export interface CallPoliciesOptions {
  /** Told when a breaker opens and closes. */
  readonly log: Logger;
  /** What goes before the contracts' own options, for calls that begin from then on. Default: nothing. */
  readonly live?: LiveSetting<CallPolicySettings> | undefined;
  /** What windows and pauses are measured by. Default: the time of this machine. */
  readonly clock?: Clock | undefined;
  /** From 0 to 1, for jitter and for what is refused by chance. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/**
 * How the calls of a process are made, for `ConnectorOptions.policy`: which failed attempts are made again and within which budget, hedges,
 * breakers, rates. State is kept by contract and method, and each connector should have its own. Calls that must not be made fail with
 * `unavailable.circuit_open` or `rate_limited.client`.
 */
export function callPolicies({ log, live, clock = systemClock, random = Math.random }: CallPoliciesOptions): (contract: string) => CallPolicy {
  return (contract) => contractPolicies(contract, live, { log, clock, random, budget: retryBudget(), budgetPolicy: resolveBudget(contract, live?.get()) });
}

function contractPolicies(contract: string, live: LiveSetting<CallPolicySettings> | undefined, shared: ContractCalls): CallPolicy {
  const { clock } = shared;
  const methods = new Map<string, MethodCalls>();
  let seen = live?.get();

  const update = (): void => {
    const now = live?.get();
    if (now === seen) return;
    seen = now;
    shared.budgetPolicy = resolveBudget(contract, now);
    for (const calls of methods.values()) calls.update(now);
  };
  const callsOf = (method: ContractMethod): MethodCalls => {
    let found = methods.get(method.path);
    if (!found) methods.set(method.path, (found = methodCalls(method, shared, seen)));
    return found;
  };

  const begin = (calls: MethodCalls, { options }: PolicyCall, startedAt?: number): CallPlan => {
    const { deadline = Infinity, clock: callClock = clock } = options;
    const now = callClock === clock && startedAt !== undefined ? startedAt : clock.monotonic();
    const passage = calls.breaker.enter(now, calls.policy.breaker);
    if (passage === 'refused') throw calls.refusal(now);
    shared.budget.call(now);
    calls.calls++;
    calls.inFlight++;
    return new CallInHand(calls, passage, callClock === clock ? deadline : now + deadline - callClock.monotonic(), now, callClock);
  };

  return {
    begin(call) {
      if (live) update();
      const calls = callsOf(call.method);
      const turn = calls.rate?.enter(call);
      return turn ? turn.then(() => begin(calls, call)) : begin(calls, call, call.startedAt);
    },
    instancesChanged() {
      for (const { breaker } of methods.values()) breaker.tryNow();
    },
    describe() {
      if (live) update();
      const now = clock.monotonic();
      return [...methods.values()].map((calls) => calls.describe(now));
    },
  };
}
