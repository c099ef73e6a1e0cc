import type { Endpoint } from '@talaria/rpc';
import type { Services } from '../registry.ts';

/** One running instance, whatever it serves. */
export interface RunningInstance extends Endpoint {
  readonly instance: string;
  readonly service: string;
}

/** Every instance in the registry, once, sorted by service. What others put there has no id, and is left out. */
export function instancesIn(services: Services): readonly RunningInstance[] {
  const found = new Map<string, RunningInstance>();
  for (const endpoint of [...services.values()].flat()) {
    const { instance, service } = endpoint;
    if (instance === undefined || service === undefined) continue;
    // Not ready under one contract is not ready.
    if (endpoint.ready === false || !found.has(instance)) found.set(instance, { ...endpoint, instance, service });
  }
  return [...found.values()].sort((a, b) => (`${a.service} ${a.instance}` < `${b.service} ${b.instance}` ? -1 : 1));
}

/** The end of an id, which tells instances apart. */
export const shortId = (instance: string): string => (instance.length > 8 ? `…${instance.slice(-6)}` : instance);
