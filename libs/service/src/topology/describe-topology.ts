import type { ContractTopology as ContractMessage, Endpoint as EndpointMessage, GetTopologyResponse, Method } from '@talaria/contracts/talaria/topology/v1/topology';
import type { ContractTopology } from '@talaria/rpc';
import { asJson } from './as-json.ts';
import { instanceOf } from './describe-checks.ts';
import type { Facts } from './platform-contract.ts';

type KnownEndpoint = ContractTopology['endpoints'][number];
type KnownMethod = ContractTopology['methods'][number];

/** What `GetTopology` answers. `contract`: the only one that is asked for; empty for all. */
export function describeTopology(facts: Facts, contract: string): GetTopologyResponse {
  const admission = facts.admission();
  const fallbacks = facts.fallbacks();
  return {
    instance: instanceOf(facts),
    contracts: facts.contracts().flatMap((known): ContractMessage[] => {
      if (contract !== '' && known.contract !== contract) return [];
      return [{
        contract: known.contract,
        endpoints: known.endpoints.map(endpointOf),
        methods: known.methods.map(methodOf),
        fallbacks: fallbacks.flatMap(({ contract: of, method, kind, used }) => (of === known.contract ? [{ method, kind, used: count(used) }] : [])),
      }];
    }),
    server: { admission: admission === undefined ? undefined : asJson(admission) },
    faults: [...facts.faults()],
  };
}

const count = (given = 0): bigint => BigInt(Math.round(given));

function endpointOf({ endpoint, connection, stats }: KnownEndpoint): EndpointMessage {
  const { id, instance = '', version = '', zone = '', ready = true, weight = 1 } = endpoint;
  return {
    id,
    instance,
    version,
    zone,
    ready,
    connection: connection.state,
    connections: connection.connections ?? (connection.state === 'ready' || connection.state === 'draining' ? 1 : 0),
    state: stats?.state ?? connection.state,
    inFlight: stats?.inFlight ?? connection.inFlight,
    latencyMs: stats?.latencyMs,
    load: stats?.load,
    weight: stats?.weight ?? weight,
    calls: count(stats?.calls),
    failures: count(stats?.failures),
    ejections: count(stats?.ejections),
    ejected: stats?.ejected && { reason: stats.ejected.reason, forMs: stats.ejected.forMs },
    oldestMs: stats?.oldestMs,
  };
}

function methodOf({ breaker, budget, ...method }: KnownMethod): Method {
  const { state, rejectProbability, consecutiveFailures, rejected } = breaker;
  const { left, spent, refused } = budget;
  return {
    method: method.method,
    p50Ms: method.p50Ms,
    p95Ms: method.p95Ms,
    calls: count(method.calls),
    failures: count(method.failures),
    retries: count(method.retries),
    hedges: count(method.hedges),
    hedgesWon: count(method.hedgesWon),
    breaker: { state, rejectProbability, consecutiveFailures: count(consecutiveFailures), rejected: count(rejected) },
    budget: { left, spent: count(spent), refused: count(refused) },
  };
}
