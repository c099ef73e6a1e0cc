import type { ContractTopology, Endpoint, Method } from '@talaria/contracts/talaria/topology/v1/topology';
import type { Services } from '../registry.ts';
import type { Answers } from './ask.ts';

/** Who calls. */
export interface CallerName {
  readonly service: string;
  readonly instance: string;
}

/** An endpoint, as one caller sees it. */
export interface SeenEndpoint extends CallerName {
  readonly state: string;
  readonly connection: string;
  readonly connections: number;
  readonly inFlight: number;
  readonly latencyMs?: number | undefined;
  readonly load?: number | undefined;
  readonly weight: number;
  /** The share of the caller's attempts that went there, from 0 to 1: since the look before, if there were any, else since it knows it. */
  readonly share?: number | undefined;
  readonly calls: number;
  readonly failures: number;
  readonly ejections: number;
  readonly ejected?: { readonly reason: string; readonly forMs: number } | undefined;
  readonly oldestMs?: number | undefined;
}

/** An endpoint, with all who call it. */
export interface EndpointView {
  readonly address: string;
  readonly instance?: string | undefined;
  readonly service?: string | undefined;
  readonly zone?: string | undefined;
  readonly version?: string | undefined;
  /** Whether it is in the registry; one that is not is only known to callers. */
  readonly registered: boolean;
  readonly ready: boolean;
  readonly callers: readonly SeenEndpoint[];
  /** What it admits, if it answered. */
  readonly admission?: Readonly<Record<string, unknown>> | undefined;
}

/** A method, as one caller sees it. */
export interface SeenMethod extends CallerName {
  readonly breaker: { readonly state: string; readonly rejectProbability: number; readonly consecutiveFailures: number; readonly rejected: number };
  readonly budget: { readonly left: number; readonly spent: number; readonly refused: number };
  readonly p50Ms?: number | undefined;
  readonly p95Ms?: number | undefined;
  readonly calls: number;
  readonly failures: number;
  readonly retries: number;
  readonly hedges: number;
  readonly hedgesWon: number;
}

/** A contract, as its callers see it at one time. */
export interface Snapshot {
  readonly contract: string;
  /** RFC 3339. */
  readonly at: string;
  readonly endpoints: readonly EndpointView[];
  /** The instances that have called it. */
  readonly callers: readonly CallerName[];
  readonly methods: readonly { readonly method: string; readonly callers: readonly SeenMethod[] }[];
  readonly fallbacks: readonly (CallerName & { readonly method: string; readonly kind: string; readonly used: number })[];
  /** Faults that are injected. */
  readonly faults: readonly (CallerName & { readonly faults: readonly string[] })[];
  readonly silent: readonly (CallerName & { readonly address: string; readonly why: string })[];
}

const keyOf = (caller: CallerName, endpoint: string): string => `${caller.instance} ${endpoint}`;

/** Puts together what was answered. `before`: the look before, for shares. `isMeant`: whose calls are of interest. */
export function snapshotOf(contract: string, services: Services, { answers, silent }: Answers, isMeant: (caller: CallerName) => boolean, before?: Snapshot): Snapshot {
  const seen: { readonly caller: CallerName; readonly topology: ContractTopology }[] = [];
  for (const { from, topology } of answers) {
    const caller = { service: from.service, instance: from.instance };
    for (const each of topology.contracts) if (each.contract === contract && isMeant(caller)) seen.push({ caller, topology: each });
  }
  const callsBefore = new Map(before?.endpoints.flatMap(({ address, callers }) => callers.map((caller) => [keyOf(caller, address), caller.calls] as const)));
  const admissions = new Map(answers.map(({ from, topology }) => [from.instance, topology.server?.admission]));

  const views = new Map<string, EndpointView & { readonly callers: SeenEndpoint[] }>();
  for (const { id, instance, service, zone, version, ready = true } of services.get(contract) ?? []) {
    const admission = instance === undefined ? undefined : admissions.get(instance);
    views.set(id, { address: id, instance, service, zone, version, registered: true, ready, callers: [], ...(admission ? { admission } : {}) });
  }
  for (const { caller, topology } of seen) {
    const shares = sharesOf(topology.endpoints, (id) => callsBefore.get(keyOf(caller, id)));
    for (const endpoint of topology.endpoints) {
      const { id, instance, zone, version, ready } = endpoint;
      const view = views.get(id) ?? { address: id, instance, zone, version, registered: false, ready, callers: [] };
      view.callers.push({ ...caller, ...seenEndpoint(endpoint), share: shares.get(id) });
      views.set(id, view);
    }
  }
  const methods = new Map<string, SeenMethod[]>();
  for (const { caller, topology } of seen) for (const method of topology.methods) methods.set(method.method, [...(methods.get(method.method) ?? []), { ...caller, ...seenMethod(method) }]);
  return {
    contract,
    at: new Date().toISOString(),
    endpoints: [...views.values()],
    callers: seen.map(({ caller }) => caller),
    methods: [...methods].sort(([a], [b]) => (a < b ? -1 : 1)).map(([method, callers]) => ({ method, callers })),
    fallbacks: seen.flatMap(({ caller, topology }) => topology.fallbacks.flatMap(({ method, kind, used }) => (used > 0n ? [{ ...caller, method, kind, used: Number(used) }] : []))),
    faults: answers.flatMap(({ from: { service, instance }, topology: { faults } }) => (faults.length > 0 ? [{ service, instance, faults }] : [])),
    silent: silent.map(({ from: { service, instance, id }, why }) => ({ service, instance, address: id, why })),
  };
}

/** Of each endpoint: attempts since the look before, or since ever where there were none. */
function sharesOf(endpoints: readonly Endpoint[], before: (id: string) => number | undefined): ReadonlyMap<string, number> {
  const ever = endpoints.map(({ id, calls }) => [id, Number(calls)] as const);
  const lately = ever.map(([id, calls]) => [id, Math.max(0, calls - (before(id) ?? calls))] as const);
  const sum = (counts: readonly (readonly [string, number])[]): number => counts.reduce((all, [, count]) => all + count, 0);
  const counts = sum(lately) > 0 ? lately : ever;
  const all = sum(counts);
  return new Map(all === 0 ? [] : counts.map(([id, count]) => [id, count / all]));
}

function seenEndpoint({ state, connection, connections, inFlight, latencyMs, load, weight, calls, failures, ejections, ejected, oldestMs }: Endpoint): Omit<SeenEndpoint, keyof CallerName> {
  return { state, connection, connections, inFlight, latencyMs, load, weight, calls: Number(calls), failures: Number(failures), ejections: Number(ejections), ejected, oldestMs };
}

function seenMethod({ breaker, budget, p50Ms, p95Ms, calls, failures, retries, hedges, hedgesWon }: Method): Omit<SeenMethod, keyof CallerName> {
  const { state = 'closed', rejectProbability = 0, consecutiveFailures = 0n, rejected = 0n } = breaker ?? {};
  const { left = 0, spent = 0n, refused = 0n } = budget ?? {};
  return {
    breaker: { state, rejectProbability, consecutiveFailures: Number(consecutiveFailures), rejected: Number(rejected) },
    budget: { left, spent: Number(spent), refused: Number(refused) },
    p50Ms,
    p95Ms,
    calls: Number(calls),
    failures: Number(failures),
    retries: Number(retries),
    hedges: Number(hedges),
    hedgesWon: Number(hedgesWon),
  };
}
