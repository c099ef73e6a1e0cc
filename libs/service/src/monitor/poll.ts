import { CheckPriority, type Check } from '@talaria/contracts/talaria/topology/v1/topology';
import type { CheckReport, InstanceReport } from '@talaria/discovery';
import type { Endpoint } from '@talaria/rpc';
import type { DirectClients } from '../topology/direct-clients.ts';
import { topologyDefinition } from '../topology/platform-contract.ts';
import { isThere } from './is-there.ts';

/** What a poll works with. */
export interface PollOptions {
  readonly service: string;
  /** The id of the instance that polls. */
  readonly monitor: string;
  readonly clients: DirectClients;
  /** How long an instance may take to answer, in ms. */
  readonly timeoutMs: number;
}

/** One instance that left the registry without an answer since then: it may have frozen. */
interface Missing {
  readonly endpoint: Endpoint;
  readonly since: number;
}

/** How long what is neither in the registry nor answers is reported, in ms: it has been seen by then. */
const MISSING_MS = 300_000;

/** Asks instances how they are. Each call is one poll of those that the registry knows. */
export function createPoll({ service, monitor, clients, timeoutMs }: PollOptions, before: readonly InstanceReport[]): (known: readonly Endpoint[], signal: AbortSignal) => Promise<readonly InstanceReport[]> {
  const client = clients.client(topologyDefinition);
  let last = new Map(before.map((report) => [report.instance, report]));
  let registered: readonly Endpoint[] = [];
  const missing = new Map<string, Missing>();

  const ask = async (endpoint: Endpoint, isRegistered: boolean, signal: AbortSignal): Promise<InstanceReport> => {
    const { id: address, instance = '', version, ready = true } = endpoint;
    const base = { service, instance, address, version, registered: isRegistered, monitor, at: new Date().toISOString() };
    const previous = last.get(instance);
    const since = (reachable: boolean, isReady: boolean): string => (previous?.reachable === reachable && previous.ready === isReady ? previous.since : base.at);
    try {
      const answer = await client.getChecks({}, { instance, timeoutMs, signal });
      if (answer.instance?.id !== instance) throw new Error(`another instance answers there: ${answer.instance?.id ?? 'one without an id'}`);
      const { ready: isReady, checks } = answer;
      return { ...base, version: answer.instance.version || version, reachable: true, ready: isReady, since: since(true, isReady), checkers: checks.map(reportOf) };
    } catch (error) {
      return { ...base, reachable: false, error: (error as Error).message, ready, since: since(false, ready), checkers: [] };
    }
  };

  return async (known, signal) => {
    const now = new Set(known.map(({ instance }) => instance));
    for (const endpoint of registered) if (!now.has(endpoint.instance)) missing.set(endpoint.instance ?? '', { endpoint, since: performance.now() });
    for (const instance of now) missing.delete(instance ?? '');
    registered = known;
    clients.reach([...registered, ...[...missing.values()].map(({ endpoint }) => endpoint)]);
    const [there, gone] = await Promise.all([
      Promise.all(registered.map((endpoint) => ask(endpoint, true, signal))),
      Promise.all([...missing.values()].map(async ({ endpoint, since }) => ({ since, report: await ask(endpoint, false, signal), there: await isThere(endpoint, timeoutMs) }))),
    ]);
    // What answers is leaving properly, and where nobody listens it has left.
    for (const { report, since, there: isStill } of gone) if (report.reachable || !isStill || performance.now() - since > MISSING_MS) missing.delete(report.instance);
    const found = [...there, ...gone.flatMap(({ report }) => (missing.has(report.instance) ? [report] : []))];
    if (!signal.aborted) last = new Map(found.map((report) => [report.instance, report]));
    return found;
  };
}

const PRIORITIES: Readonly<Record<number, CheckReport['priority']>> = { [CheckPriority.CHECK_PRIORITY_CRITICAL]: 'critical', [CheckPriority.CHECK_PRIORITY_INFO]: 'info' };

function reportOf({ name, priority, ok, error, data, durationMs, since }: Check): CheckReport {
  return { name, priority: PRIORITIES[priority] ?? 'warning', ok, ...(ok ? { data: data ?? {} } : { error }), durationMs, since: since?.toISOString() };
}
