/** One instance as the balancer of one contract sees it. */
export interface Endpoint {
  /** Advertised `host:port`; also what tells one endpoint from another. */
  readonly id: string;
  /** Where it can be reached, with schemes, best first: `h2c://10.0.0.7:4000`. */
  readonly addresses: readonly string[];
  /** The instance's id. */
  readonly instance?: string | undefined;
  /** The service it belongs to, such as `service.account`. */
  readonly service?: string | undefined;
  /** The version that it runs. */
  readonly version?: string | undefined;
  /** Where it stands. */
  readonly zone?: string | undefined;
  /** Relative share of calls. Default 1. */
  readonly weight?: number | undefined;
  /** Whether none of its critical checkers fails. Default true. */
  readonly ready?: boolean | undefined;
  /** When the instance started, after RFC 3339. */
  readonly startedAt?: string | undefined;
}

/** What is known of one contract, kept up to date until closed. */
export interface Resolution {
  /** Who serves the contract, as last known; undefined before the first answer. */
  readonly endpoints: readonly Endpoint[] | undefined;
  /** Calls `listener` after every change; the answer stops that. */
  onChange(listener: (endpoints: readonly Endpoint[]) => void): () => void;
  /** Frees what keeps it up to date. */
  close(): void;
}

/** Says who serves a contract. */
export interface Resolver {
  /** Starts to keep track of a contract, outside of every call. Never throws: what cannot be known yet stays undefined. */
  resolve(contract: string): Resolution;
}
