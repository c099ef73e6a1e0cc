import { CALLER_KEY, type Verifier } from '@talaria/auth';
import { admission, type AdaptiveAdmission } from '@talaria/resilience';
import type { ServiceConfig } from './live-config.ts';

/** What the contracts of the platform itself begin with: who looks after a server has to reach it most when it has too much to do. */
const PLATFORM = 'talaria.';

/** What the admission of a service is made of. */
export interface ServerAdmissionParts {
  readonly config: ServiceConfig['builtIn'];
  readonly verifier: Verifier;
  /** Contracts whose calls are always taken, such as health. */
  readonly exempt: readonly string[];
}

/** Which calls a service takes. By the time of this machine, whatever the clock of its calls: what it can do does not depend on that. */
export function serverAdmission({ config, verifier, exempt }: ServerAdmissionParts): AdaptiveAdmission {
  return admission({
    settings: config['server.admission'],
    limits: config['server.limits'],
    caller(call) {
      const token = call.header(CALLER_KEY);
      return token === undefined ? undefined : verifier.peek(token)?.service;
    },
    exempt: (contract) => contract.startsWith(PLATFORM) || exempt.includes(contract),
  });
}
