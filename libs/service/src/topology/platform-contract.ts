import { TopologyServiceDefinition, type TopologyServiceImplementation } from '@talaria/contracts/talaria/topology/v1/topology';
import type { Health } from '@talaria/health';
import type { ContractTopology } from '@talaria/rpc';

/** The contract with which every instance tells of itself. It is served beside health and reflection, and never registered. */
export const topologyDefinition = TopologyServiceDefinition;

/** A fallback that a caller has, and how often it was used. */
export interface UsedFallback {
  /** Such as `account.v1.AccountService`. */
  readonly contract: string;
  /** Such as `account.v1.AccountService/GetAccount`. */
  readonly method: string;
  readonly kind: string;
  /** How often. */
  readonly used: number;
}

/** What an instance tells of itself. Each is asked when somebody asks the instance. */
export interface Facts {
  readonly instance: { readonly id: string; readonly service: string; readonly version: string; readonly zone: string | undefined };
  readonly health: Health;
  /** Of what it calls. */
  contracts(): readonly ContractTopology[];
  /** Of what it admits: what can be written as JSON. */
  admission(): unknown;
  /** What faults it injects now, in words. */
  faults(): readonly string[];
  fallbacks(): readonly UsedFallback[];
}

/** Serves the contract. What makes the answers is loaded with the first question. */
export function topologyHandlers(facts: () => Facts): TopologyServiceImplementation {
  return {
    getChecks: async () => (await import('./describe-checks.ts')).describeChecks(facts()),
    getTopology: async ({ contract }) => (await import('./describe-topology.ts')).describeTopology(facts(), contract),
  };
}
