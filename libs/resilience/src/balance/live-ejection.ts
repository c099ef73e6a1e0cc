import type { LiveSetting } from '@talaria/base';
import { resolveEjection, type CallPolicySettings } from '../calls/policy-settings.ts';
import type { EjectionOptions } from './options.ts';

/** The part of the live setting `call.policies` that is about the ejection of a contract's instances, for `BalanceOptions.ejection`. */
export function liveEjection(contract: string, policies: LiveSetting<CallPolicySettings>): LiveSetting<EjectionOptions> {
  let seen: CallPolicySettings | undefined;
  let options: EjectionOptions = {};
  const get = (): EjectionOptions => {
    const now = policies.get();
    if (now !== seen) {
      seen = now;
      const { enabled, consecutive_failures, slow_factor, slow_by, silent, base, max } = resolveEjection(contract, now);
      const named = { enabled, consecutiveFailures: consecutive_failures, slowFactor: slow_factor, slowByMs: slow_by, silentMs: silent, baseMs: base, maxMs: max };
      options = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
    }
    return options;
  };
  return { get, onChange: (listener) => policies.onChange(() => listener(get())) };
}
