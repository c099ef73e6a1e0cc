import type { KeySource, ServiceKey, ServiceTokens, Verifier } from '@talaria/auth';
import type { Capability, Checker, Clock, Elections, LiveSetting, Logger } from '@talaria/base';
import type { Config, ConfigShape, ConfigSource, Setting, Settings } from '@talaria/config';
import type { MemoryElections, Registry } from '@talaria/discovery';
import type { Health } from '@talaria/health';
import type { Fallbacks } from '@talaria/resilience';
import type { EveryOptions } from './background/background.ts';
import type { LeaderWork, ScheduledWork, Work } from './background/run-context.ts';
import type { Hook, HookOptions, StopPhase } from './hooks.ts';
import type { Interval } from './interval.ts';
import type { MethodInfo } from './method-info.ts';
import type { UseOptions } from './middleware-stack.ts';
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
  /** Where instances elect one of them, for schedules, leaders and messaging. Default: in etcd; within the service where a registry and a resolver are given. */
  readonly elections?: Pick<MemoryElections, 'of'> | undefined;
  /** Where live settings come from. Default: etcd; nowhere where a registry and a resolver are given. */
  readonly config?: ConfigSource | undefined;
  /** For deadlines, workers and schedules. Default: the time of this machine. */
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

  /**
   * Serves a contract, from `start` on or, on a running service, from now on. Throws one sentence for one that cannot be served:
   * a handler is missing or belongs to no method, or the contract is there already. If another service owns the contract, or
   * another contract has a route of it, `start` rejects; on a running service that is an error in the log, and the contract is
   * NOT_SERVING in health until it is removed and added again. `middleware` goes around this contract only, within that for all;
   * the first is outermost.
   */
  add<D extends CompatServiceDefinition>(definition: D, handlers: ServiceImplementation<D>, options?: { readonly middleware?: OneOrMore<ServerMiddleware> }): Service;
  /**
   * Stops serving a contract; others are untouched. Leaves the registry, waits 100 ms, until clients know, drains the contract's calls
   * (streams too, for 5 s, then they end with UNAVAILABLE), and answers UNIMPLEMENTED from then on. It may be added again, also
   * meanwhile: then new calls go to the new handlers at once. Resolves when its last call has ended, so that no handler of
   * the contract itself may wait for it. Nothing happens for a contract that is not there.
   */
  remove(definition: CompatServiceDefinition): Promise<void>;
  /**
   * Adds middleware for all contracts: innermost, so that authentication, authorisation and validation have passed, unless the
   * options say where. On a running service it holds from the next call on. Throws one sentence for a name that is taken, and for
   * one that is not there.
   */
  use(middleware: ServerMiddleware, options?: UseOptions): Service;
  /** The names of the middleware for all contracts, outermost first; at first `telemetry`, `authentication`, `validation`. */
  middleware(): readonly string[];
  /** The methods of all contracts that were added, in order. */
  methods(): readonly MethodInfo[];
  /** The method of a name such as `account.v1.AccountService/GetAccount`; undefined for one that is not served here. */
  method(name: string): MethodInfo | undefined;
  /**
   * A client for a contract. Usable before `start`, and by programs that never start (tools). `fallback` says what to answer for which
   * unary methods when the contract is gone: `stale(…)`, `answer(…)` or `degraded(…)`; a used one is marked in the response, counted, and seen in health.
   */
  client<D extends CompatServiceDefinition>(definition: D, options?: { readonly middleware?: OneOrMore<ClientMiddleware>; readonly fallback?: Fallbacks<D> | undefined }): Client<D, CallLimits>;
  /**
   * Runs `run` from ready to stop, outside of every call and in a context of its own: again after a short pause when it returns, and
   * after ever longer ones (100 ms to 10 s) while it fails. It must heed the signal. Its health is a checker, `worker <name>`.
   */
  worker(name: string, run: Work): Service;
  /**
   * As `worker`, in one instance of the service at a time, whichever it is: another one goes on when that stops, fails, or is not heard
   * of for 10 s. The signal aborts before another instance can begin, or as this one wakes when it was frozen; and whatever `run` writes
   * with storage or publishes is refused (`conflict.fenced`) once another leader has written. `leadership.token` is for other stores.
   * While etcd is away nobody begins. Its health is a checker, `leader <name>`.
   */
  leader(name: string, run: LeaderWork): Service;
  /**
   * Runs `run` at once and then every interval, outside of every call: in one instance of the service, whichever it is (as `leader`,
   * with its fence), or in each one (`everywhere`). A run has a trace of its own, and the interval as its deadline. It has happened when it returns; one
   * that throws, or that its instance did not finish, is made again (after 1 s, then twice as long each time, up to 5 minutes or the
   * interval). Its health is a checker, `schedule <name>`.
   */
  every(interval: Interval, name: string, run: ScheduledWork, options?: EveryOptions): Service;
  /**
   * Elections among the instances of this service, for locks of its own: `campaign(name, signal)` waits until it has won; what
   * `runFenced(leadership, fn)` runs then is guarded as a leader's writes are. Leaders and schedules are elections of the same names.
   */
  readonly elections: Elections;
  /** Calls `hook` at start, when the capabilities work and nothing is served yet; hooks run in order. What it throws fails the start. Throws one sentence when it is too late for it. */
  onStart(hook: Hook, options?: HookOptions): Service;
  /** Calls `hook` at start, when the service serves and others find it, but before `ready`. What it throws fails the start. Throws one sentence when it is too late for it. */
  onReady(hook: Hook, options?: HookOptions): Service;
  /** Calls `hook` when the service stops. Default phase: `drain`. What it throws is logged. */
  onStop(hook: Hook, options?: HookOptions & { readonly phase?: StopPhase }): Service;
  /** Reads settings. A wrong one is reported by `start`, together with all others; reading its value throws. */
  settings<const S extends SettingsShape>(shape: S): Settings<S>;
  /**
   * Declares settings that may change while it runs, by names such as `webhook.attempt_timeout`: defaults, then what the file of TALARIA_CONFIG_FILE,
   * the environment and, from the start on, etcd say. A wrong one is reported by `start`; reading its value throws. Throws
   * one sentence for a name that is none or taken, and on a service that has started.
   */
  config<const S extends ConfigShape>(shape: S): Config<S>;

  readonly contracts: PublishedContracts;
  /** Who serves a contract, as last known; undefined while nothing is known. Tracking begins at the first use. */
  endpoints(contract: string): readonly Endpoint[] | undefined;
  /** Verifies tokens. */
  readonly verifier: Verifier;
  /** Proves who this service is; undefined without a key. */
  readonly tokens: ServiceTokens | undefined;
  readonly health: Health;

  /** Rejects with one sentence that names the fix when the service is wired or set up wrongly, and once it was stopped. A second call settles as the first. */
  start(): Promise<void>;
  /** Settles as `start` does. */
  readonly ready: Promise<void>;
  /** Where it listens, once started: `h2c://127.0.0.1:41234`. */
  readonly address: string | undefined;
  /** Stops gracefully, within 8 s. Idempotent; also for a service that never started. Never rejects. */
  stop(reason?: string): Promise<void>;
  /** Resolves when it has stopped, with the reason: `SIGTERM`, or what `stop` was given first. */
  readonly closed: Promise<string>;
  /** For main files, once: starts, stops at SIGTERM, SIGINT or when the supervisor is gone, and exits the process. */
  run(): Promise<never>;
}
