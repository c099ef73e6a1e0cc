import type { Health } from '@talaria/health';
import type { ServiceFallbacks } from '../fallbacks.ts';
import type { Parts } from '../parts.ts';
import type { PlatformSettings } from '../platform-settings.ts';
import type { Facts } from './platform-contract.ts';

/** What an instance tells of itself, from its parts. */
export function factsOf(service: string, settings: PlatformSettings, health: Health, parts: Parts, fallbacks: ServiceFallbacks): Facts {
  return {
    instance: { id: settings.instance, service, version: settings.version, zone: settings.zone },
    health,
    contracts: () => parts.connector.topology(),
    admission: () => parts.admission.describe(),
    // Its checker says which ones are in force here.
    faults: () => health.results().flatMap((found) => (found.name === 'faults' && !found.ok ? [found.error] : [])),
    fallbacks: () => fallbacks.describe().map(({ method, kind, used }) => ({ contract: method.split('/', 1)[0] ?? '', method, kind, used })),
  };
}
