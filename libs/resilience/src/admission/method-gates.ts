import type { Clock } from '@talaria/base';
import type { RateSettings } from '../calls/policy-settings.ts';
import type { MethodLimitSettings } from './limit-settings.ts';
import { rateGate, type Passage, type RateGate } from './rate-gate.ts';

/** Why a gate is shut, and for how long. */
export interface Shut {
  readonly reason: 'caller' | 'method';
  readonly retryMs: number;
}

/** What calls of one method have to pass. */
export interface MethodGates {
  /** How many may run at once. */
  readonly concurrency: number;
  /** Whether there is any rate. */
  readonly hasRates: boolean;
  /** True: at once. Else why not, or what to wait for. `mostMs`: the longest that it is worth to wait. */
  pass(caller: string, mostMs: number): true | Shut | Extract<Passage, { readonly waitMs: number }>;
}

/** Makes the gates that settings want; buckets begin full. */
export function methodGates({ rate, total, concurrency = 0, callers = {} }: MethodLimitSettings, clock: Clock | undefined): MethodGates {
  const each = rateGate(rate ?? {}, clock);
  const own = new Map(Object.entries(callers).map(([name, settings]): [string, RateGate | undefined] => [name, rateGate({ ...rate, ...said(settings) }, clock)]));
  const all = rateGate(total ?? {}, clock);
  return {
    concurrency: concurrency > 0 ? concurrency : Infinity,
    hasRates: each !== undefined || own.size > 0 || all !== undefined,
    pass(caller, mostMs) {
      const gate = own.has(caller) ? own.get(caller) : each;
      const first = gate?.pass(caller, mostMs) ?? true;
      if (first !== true && 'retryMs' in first) return { reason: 'caller', retryMs: first.retryMs };
      // All callers together are one.
      const second = all?.pass('', mostMs) ?? true;
      if (second !== true && 'retryMs' in second) {
        if (first === true) gate?.undo(caller);
        else first.over(false);
        return { reason: 'method', retryMs: second.retryMs };
      }
      if (first === true && second === true) return true;
      return {
        waitMs: Math.max(first === true ? 0 : first.waitMs, second === true ? 0 : second.waitMs),
        over(used) {
          if (first !== true) first.over(used);
          else if (!used) gate?.undo(caller);
          if (second !== true) second.over(used);
          else if (!used) all?.undo('');
        },
      };
    },
  };
}

function said(settings: RateSettings): RateSettings {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
