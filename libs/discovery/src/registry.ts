import type { Endpoint } from '@talaria/rpc';
import type { HealthReports } from './reports/reports.ts';

/** What an instance says of itself. */
export interface Instance {
  /** Its id. */
  readonly instance: string;
  /** Such as `service.account`. */
  readonly service: string;
  readonly version?: string | undefined;
  readonly zone?: string | undefined;
  /** Relative share of calls. Default 1. */
  readonly weight?: number | undefined;
  /** False while one of its critical checkers fails: it gets calls only if no ready instance is there. Default true. */
  readonly ready?: boolean | undefined;
  /** When it started, RFC 3339. */
  readonly startedAt?: string | undefined;
  /** The SHA-256 of the descriptor that it serves. */
  readonly descriptor?: string | undefined;
  /** Where it can be reached, with schemes, best first. Default: `h2c://` and its address. */
  readonly addresses?: readonly string[] | undefined;
}

/** An instance to register under one contract. */
export interface RegisterOptions {
  /** Such as `account.v1.AccountService`. */
  readonly contract: string;
  /** Advertised `host:port`. */
  readonly address: string;
  readonly ext: Instance;
}

/** What may change of an instance while it is registered. */
export type RegistrationChange = Pick<Instance, 'ready' | 'weight'>;

/** One instance under one contract, kept in the registry whatever happens to it. */
export interface Registration {
  /** Resolves when it is in the registry for the first time. Never rejects; stays pending while the registry is away. */
  readonly ready: Promise<void>;
  /**
   * Says something else of it from now on; what is left out stays as it is. Resolves after one attempt and never rejects: while
   * the registry is away the latest is kept, and put as soon as it is back. Does nothing once closed.
   */
  update(change: RegistrationChange): Promise<void>;
  /** Takes the instance out; resolvers hear of it at once. */
  close(): Promise<void>;
}

/** A contract to publish. */
export interface PublishOptions {
  /** Such as `account.v1.AccountService`. */
  readonly contract: string;
  /** Who owns it, such as `service.account`. */
  readonly service: string;
  /** The proto file that it stands in: `account/v1/account.proto`. */
  readonly file: string;
  /** A `google.protobuf.FileDescriptorSet` with that file and all its imports. */
  readonly descriptorSet: Uint8Array;
  /** Its public routes: `POST /accounts`, `GET /accounts/{id}`. */
  readonly routes: readonly string[];
}

/** What a service says of one contract of its own. */
export interface Publication {
  /**
   * Resolves when it is published; stays pending while the registry is away. Rejects with `conflict.contract` (another
   * service owns it), `conflict.route` (another contract has the route) or `conflict.contract_name` (one name starts with
   * the other, which Go's resolver cannot tell apart).
   */
  readonly ready: Promise<void>;
  /** Stops publishing it again after data loss. What is published stays: a contract without instances is 503, not 404. */
  close(): void;
}

/** A published contract. */
export interface ContractInfo {
  readonly contract: string;
  readonly service: string;
  readonly file: string;
  /** The SHA-256 of `descriptorSet`. */
  readonly descriptor: string;
  /** A `google.protobuf.FileDescriptorSet`. */
  readonly descriptorSet: Uint8Array;
}

/** Every published contract, kept up to date until closed. */
export interface ContractsWatch {
  /** As last known; undefined before the first answer. */
  readonly contracts: ReadonlyMap<string, ContractInfo> | undefined;
  /** Resolves after the listener was first called. Never rejects. */
  readonly ready: Promise<void>;
  close(): void;
}

/** An endpoint, with what only people want to know of it. */
export interface RegisteredEndpoint extends Endpoint {
  /** The SHA-256 of the descriptor that it serves. */
  readonly descriptor?: string | undefined;
}

/** Where instances and contracts are made known. */
export interface Registry {
  /** Throws for a contract or an address that is none, and for what this registry has registered already. */
  register(options: RegisterOptions): Registration;
  /** Throws for a contract or a route that is none. */
  publish(options: PublishOptions): Publication;
  /** Calls `listener` with everything that is published, now and after each change. */
  watchContracts(listener: (contracts: ReadonlyMap<string, ContractInfo>) => void): ContractsWatch;
  /** Who serves what, now: each contract with its endpoints, none for one that is published only. Rejects while the registry is away. */
  services(): Promise<ReadonlyMap<string, readonly RegisteredEndpoint[]>>;
  /** What the monitors of the services have found. */
  readonly reports: HealthReports;
  /** Takes out everything that was registered here, and stops publishing and watching. */
  close(): Promise<void>;
}
