import { type GatewayServiceDefinition } from '@talaria/contracts/talaria/gateway/v1/gateway';
import { type RuleStats, type VersionStats } from '@talaria/http';
import { type ServiceImplementation } from '@talaria/service';

const versionStats = ({ service, version, inShare, calls, errors, latency: { buckets, ...quantiles } }: VersionStats) => ({
  service,
  version,
  inShare,
  calls: BigInt(calls),
  errors: BigInt(errors),
  latency: { ...quantiles, buckets: buckets.map(({ upperMs, count }) => ({ upperMs, count: BigInt(count) })) },
});

/** The contract on what this instance has counted. */
export function gatewayHandlers(instance: string, ruleStats: () => readonly RuleStats[]): ServiceImplementation<GatewayServiceDefinition> {
  return {
    getRuleStats: async ({ rule }) => ({
      instance,
      rules: ruleStats()
        .filter(({ id }) => rule === '' || id === rule)
        .map(({ refused, versions, ...stats }) => ({ ...stats, refused: BigInt(refused), versions: versions.map(versionStats) })),
    }),
  };
}
