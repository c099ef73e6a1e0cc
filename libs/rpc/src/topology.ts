import type { MethodStats } from './call-policy.ts';
import type { EndpointStats } from './picker.ts';
import type { Endpoint } from './resolver.ts';
import type { ConnectionState } from './transport.ts';

/** One endpoint, as the calls of a connector see it. */
export interface EndpointTopology {
  readonly endpoint: Endpoint;
  readonly connection: {
    readonly state: ConnectionState;
    /** Calls of all contracts that have not ended. */
    readonly inFlight: number;
    /** How many sockets it holds, where it may hold several. */
    readonly connections?: number | undefined;
  };
  /** What the picker knows of it, if it tells. */
  readonly stats?: EndpointStats | undefined;
}

/** One contract, as the calls of a connector see it. */
export interface ContractTopology {
  readonly contract: string;
  /** Those known now. */
  readonly endpoints: readonly EndpointTopology[];
  /** Those methods that were called, if the policy tells. */
  readonly methods: readonly MethodStats[];
}
