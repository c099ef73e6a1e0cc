import type { KeySource, ServiceKey, ServiceTokens, Verifier } from '@talaria/auth';
import type { Capability, Checker, Clock, LiveSetting, Logger } from '@talaria/base';
import type { Setting, Settings } from '@talaria/config';
import type { Registry } from '@talaria/discovery';
import type { Health } from '@talaria/health';
import type { CallLimits, Client, ClientMiddleware, CompatServiceDefinition, Endpoint, Resolver, ServerMiddleware, ServiceImplementation, Transport } from '@talaria/rpc';

/** What a service would otherwise take from the environment and the network; for tests and tools. */
export interface Platform {
  /** Default: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Default: after LOG_LEVEL, LOG_FORMAT and LOG_OUTPUT. */
  readonly log?: Logger | undefined;
  /** Default: in etcd. It is not closed when the service stops. */
  readonly registry?: Registry | undefined;
  /** Default: from etcd. */
  readonly resolver?: Resolver | undefined;
  /** Default: gRPC, and in-process. */
  readonly transports?: readonly Transport[] | undefined;
  /** The address to listen on, with its scheme. Default: TALARIA_LISTEN. */
  readonly listen?: string | undefined;
  /** What verifies tokens. Default: what auth-service publishes. */
  readonly keys?: KeySource | undefined;
  /** The service's own key. Default: TALARIA_SERVICE_KEY_FILE. */
  readonly key?: ServiceKey | Promise<ServiceKey> | undefined;
  readonly clock?: Clock | undefined;
}

/** What makes a service. */
export interface ServiceOptions {
  /** Such as `service.account`. */
  readonly name: string;
  /** What it is for, in a few words. */
  readonly description: string;
  readonly storage?: Capability | undefined;
  readonly messaging?: Capability | undefined;
  /** Started after storage and messaging, in order; all are stopped in reverse. */
  readonly capabilities?: readonly Capability[] | undefined;
  /** Besides those of the capabilities. */
  readonly checkers?: readonly Checker[] | undefined;
  /** Default: TALARIA_VERSION, else the version in the package.json that npm or nx runs, else `dev`. */
  readonly version?: string | undefined;
  /** Whether it passes on calls of customers (a gateway). Default false. */
  readonly edge?: boolean | undefined;
  /** For auth-service itself, which cannot ask auth-service for keys. */
  readonly auth?: { readonly keys: KeySource } | undefined;
  readonly platform?: Platform | undefined;
}

/** A contract that some service has published. */
export interface PublishedContract {
  readonly contract: string;
  readonly service: string;
  readonly file: string;
  /** A `google.protobuf.FileDescriptorSet`. */
  readonly descriptorSet: Uint8Array;
}

/** All published contracts, kept up to date. Watching begins at the first use. */
export interface PublishedContracts extends LiveSetting<readonly PublishedContract[]> {
  /** Resolves when they are known for the first time. */
  readonly ready: Promise<void>;
}

/**
 * When a hook runs: `leave`: when clients no longer find the instance, before its calls are drained; `drain`: while they
 * are, for what has calls of its own to drain; `release`: when nothing uses what the service holds any more.
 */
export type StopPhase = 'leave' | 'drain' | 'release';

/** Describes a set of settings. */
export type SettingsShape = Readonly<Record<string, Setting>>;

/** Makes a method of a service accept one middleware or several. */
export type OneOrMore<T> = T | readonly T[];

/** A program that serves contracts, calls others, or both. */
export interface Service {
  readonly name: string;
  /** The id of this instance. */
  readonly instance: string;
  readonly version: string;
  readonly log: Logger;
  readonly env: Readonly<Record<string, string | undefined>>;

  /** Serves a contract, from `start` on or, on a running service, from now on. Throws one sentence for one that cannot be served. */
  add<D extends CompatServiceDefinition>(definition: D, handlers: ServiceImplementation<D>, options?: { readonly middleware?: OneOrMore<ServerMiddleware> }): Service;
  /** Leaves the registry, waits until clients know, then answers UNIMPLEMENTED; calls in flight go on. */
  remove(definition: CompatServiceDefinition): Promise<void>;
  /** Adds middleware for all contracts, innermost: authentication, authorisation and validation have passed. Before `start`. */
  use(middleware: ServerMiddleware): Service;
  /** A client for a contract. Usable before `start`, and by programs that never start (tools). */
  client<D extends CompatServiceDefinition>(definition: D, options?: { readonly middleware?: OneOrMore<ClientMiddleware> }): Client<D, CallLimits>;
  /** Runs `run` from ready to stop, outside of every call, and again after a pause when it fails or returns. It must heed the signal. */
  worker(name: string, run: (signal: AbortSignal) => Promise<void>): Service;
  /** Calls `hook` when the service stops. Default phase: `drain`. */
  onStop(hook: () => void | Promise<void>, options?: { readonly phase?: StopPhase }): Service;
  /** Reads settings. A wrong one is reported by `start`, together with all others; reading its value throws. */
  settings<const S extends SettingsShape>(shape: S): Settings<S>;

  readonly contracts: PublishedContracts;
  /** Who serves a contract, as last known; undefined while nothing is known. Tracking begins at the first use. */
  endpoints(contract: string): readonly Endpoint[] | undefined;
  /** Verifies tokens. */
  readonly verifier: Verifier;
  /** Proves who this service is; undefined without a key. */
  readonly tokens: ServiceTokens | undefined;
  readonly health: Health;

  /** Rejects with one sentence that names the fix when the service is wired or set up wrongly. */
  start(): Promise<void>;
  /** Settles as `start` does. */
  readonly ready: Promise<void>;
  /** Where it listens, once started: `h2c://127.0.0.1:41234`. */
  readonly address: string | undefined;
  /** Stops gracefully, within 8 s. Idempotent; also for a service that never started. Never rejects. */
  stop(reason?: string): Promise<void>;
  /** Resolves when it has stopped. */
  readonly closed: Promise<void>;
  /** For main files: starts, stops at SIGTERM, SIGINT or when the supervisor is gone, and exits the process. */
  run(): Promise<never>;
}
