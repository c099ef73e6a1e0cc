import type { InstanceReport } from '@talaria/discovery';
import type { Services } from '../registry.ts';
import type { Answers } from '../topology/ask.ts';
import { instancesIn } from '../topology/instances.ts';

/** What its callers have seen of an instance, all contracts and all callers together. */
export interface InBand {
  /** How many instances have called it. */
  readonly callers: number;
  readonly calls: number;
  readonly failures: number;
  /** Those that send it nothing now, and why. */
  readonly ejectedBy: readonly { readonly service: string; readonly instance: string; readonly reason: string }[];
}

/** How one instance is: what it says of itself in the registry, what the monitor has found, and what callers saw. */
export interface InstanceHealth {
  readonly service: string;
  readonly instance: string;
  readonly address: string;
  readonly version?: string | undefined;
  readonly registered: boolean;
  /** What it says of itself in the registry: none of its critical checkers fails. */
  readonly ready: boolean;
  /** Undefined while no monitor has looked at it. */
  readonly monitor?: Pick<InstanceReport, 'reachable' | 'ready' | 'error' | 'since' | 'checkers' | 'monitor' | 'at'> | undefined;
  /** Undefined if nobody who was asked has called it. */
  readonly inBand?: InBand | undefined;
}

/** How a platform is at one time. */
export interface HealthSnapshot {
  /** RFC 3339. */
  readonly at: string;
  readonly instances: readonly InstanceHealth[];
  /** Used instead of calls that failed. */
  readonly fallbacks: readonly { readonly service: string; readonly instance: string; readonly method: string; readonly kind: string; readonly used: number }[];
}

/** Whether something critical fails there. */
export const isUnwell = ({ ready, monitor }: InstanceHealth): boolean => !ready || monitor?.reachable === false || monitor?.ready === false;

/** Puts together what the registry, the monitors and the callers say, of all services or of one. */
export function healthOf(services: Services, reports: readonly InstanceReport[], { answers }: Pick<Answers, 'answers'>, service: string | undefined): HealthSnapshot {
  const views = new Map<string, InstanceHealth>();
  for (const { service: owner, instance, id, version, ready = true } of instancesIn(services)) views.set(instance, { service: owner, instance, address: id, version, registered: true, ready });
  for (const { service: owner, instance, address, version, reachable, ready, error, since, checkers, monitor, at } of reports) {
    const view = views.get(instance) ?? { service: owner, instance, address, version, registered: false, ready: true };
    views.set(instance, { ...view, monitor: { reachable, ready, ...(error === undefined ? {} : { error }), since, checkers, monitor, at } });
  }
  const seen = inBandOf(answers);
  return {
    at: new Date().toISOString(),
    instances: [...views.values()]
      .filter((view) => service === undefined || view.service === service)
      .sort((a, b) => (`${a.service} ${a.instance}` < `${b.service} ${b.instance}` ? -1 : 1))
      .map((view) => ({ ...view, ...(seen.has(view.instance) ? { inBand: seen.get(view.instance) } : {}) })),
    fallbacks: answers.flatMap(({ from, topology }) =>
      from.service === service || service === undefined ? topology.contracts.flatMap(({ fallbacks }) => fallbacks.flatMap(({ method, kind, used }) => (used > 0n ? [{ service: from.service, instance: from.instance, method, kind, used: Number(used) }] : []))) : [],
    ),
  };
}

function inBandOf(answers: Answers['answers']): ReadonlyMap<string, InBand> {
  const seen = new Map<string, { callers: Set<string>; calls: number; failures: number; ejectedBy: Map<string, InBand['ejectedBy'][number]> }>();
  for (const { from, topology } of answers) {
    for (const endpoint of topology.contracts.flatMap(({ endpoints }) => endpoints)) {
      if (endpoint.calls === 0n && !endpoint.ejected) continue;
      const one = seen.get(endpoint.instance) ?? { callers: new Set(), calls: 0, failures: 0, ejectedBy: new Map() };
      seen.set(endpoint.instance, one);
      one.callers.add(from.instance);
      one.calls += Number(endpoint.calls);
      one.failures += Number(endpoint.failures);
      if (endpoint.ejected) one.ejectedBy.set(from.instance, { service: from.service, instance: from.instance, reason: endpoint.ejected.reason });
    }
  }
  return new Map([...seen].map(([instance, { callers, ejectedBy, ...counts }]) => [instance, { callers: callers.size, ...counts, ejectedBy: [...ejectedBy.values()] }]));
}
