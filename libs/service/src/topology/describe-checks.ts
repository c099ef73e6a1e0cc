import { CheckPriority, type GetChecksResponse, type Instance } from '@talaria/contracts/talaria/topology/v1/topology';
import { HealthCheckResponse_ServingStatus as ServingStatus } from '@talaria/contracts/health/v1/health';
import { asJson } from './as-json.ts';
import type { Facts } from './platform-contract.ts';

const PRIORITIES = { critical: CheckPriority.CHECK_PRIORITY_CRITICAL, warning: CheckPriority.CHECK_PRIORITY_WARNING, info: CheckPriority.CHECK_PRIORITY_INFO } as const;

/** Which instance it is. */
export function instanceOf({ instance: { zone = '', ...instance } }: Pick<Facts, 'instance'>): Instance {
  return { ...instance, zone };
}

/** What `GetChecks` answers. */
export function describeChecks(facts: Pick<Facts, 'instance' | 'health'>): GetChecksResponse {
  const { health } = facts;
  return {
    instance: instanceOf(facts),
    ready: health.well,
    serving: health.status('') === ServingStatus.SERVING,
    checks: health.results().map((found) => ({
      name: found.name,
      priority: PRIORITIES[found.priority],
      ok: found.ok,
      error: found.ok ? '' : found.error,
      data: found.ok ? asJson(found.data) : undefined,
      durationMs: found.durationMs,
      since: new Date(found.since),
    })),
  };
}
