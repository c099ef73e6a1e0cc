import { CALLER_KEY, type Verifier } from '@talaria/auth';
import type { Checker, LiveSetting, Logger } from '@talaria/base';
import { createFaults, faultyTransport, type FaultRule } from '@talaria/resilience';
import type { Transport } from '@talaria/rpc';
import { faultsAllowed } from './fault-rules.ts';

/** What the faults of a service are made of. */
export interface InjectedFaultsParts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly service: string;
  readonly instance: string;
  readonly rules: LiveSetting<readonly FaultRule[]>;
  readonly log: Logger;
  /** Asked once a rule names a caller. */
  readonly verifier: () => Verifier;
}

/** The transports of a service, on which calls go wrong as `faults.rules` says where the environment allows it; elsewhere as they are. */
export function injectedFaults(given: readonly Transport[], { env, service, instance, rules, log, verifier }: InjectedFaultsParts): { readonly transports: readonly Transport[]; readonly checkers: readonly Checker[] } {
  if (!faultsAllowed(env)) return { transports: given, checkers: [] };
  const faults = createFaults({
    rules,
    service,
    instance,
    log,
    async callerOf(metadata) {
      const token = metadata.get(CALLER_KEY);
      return token === undefined ? undefined : (await verifier().serviceToken(token)).service;
    },
  });
  return { transports: given.map((transport) => faultyTransport(transport, faults)), checkers: [faults.checker] };
}
