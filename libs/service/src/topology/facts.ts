import type { Health } from '@talaria/health';
import type { Parts } from '../parts.ts';
import type { PlatformSettings } from '../platform-settings.ts';
import type { Facts } from './platform-contract.ts';

/** What an instance tells of itself, from its parts. */
export function factsOf(service: string, settings: PlatformSettings, health: Health, parts: Parts): Facts {
  return {
    instance: { id: settings.instance, service, version: settings.version, zone: settings.zone },
    health,
    contracts: () => parts.connector.topology(),
    admission: () => undefined,
    faults: () => [],
    fallbacks: () => [],
  };
}
