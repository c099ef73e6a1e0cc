import { PASSPORT_KEY } from '@talaria/auth';
import { silentLogger, systemClock, type Clock, type Logger } from '@talaria/base';
import { memoryConfigSource, type MemoryConfigSource } from '@talaria/config';
import { memoryElections, memoryRegistry, type MemoryElections, type MemoryRegistry } from '@talaria/discovery';
import { grpcTransport, inprocTransport, Metadata, type CallLimits, type Client, type ClientMiddleware, type CompatServiceDefinition } from '@talaria/rpc';
import { createService, type Service, type ServiceOptions } from '@talaria/service';
import { createPlatformKeys, PASSPORT_SECONDS, type PlatformKeys } from './platform-keys.ts';
import { principalOf, type PrincipalLike } from './principal-like.ts';

/** How a platform is made. */
export interface TestPlatformOptions {
  /** Default: silent. */
  readonly log?: Logger;
  /** The transport: within the process (the default), or gRPC over sockets. */
  readonly listen?: 'inproc' | 'h2c';
  /** What services get as their environment, instead of that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What its services measure deadlines, retries, schedules and the validity of tokens by, such as a `manualClock()`. Default: the time of this machine. */
  readonly clock?: Clock;
}

/** Of whom a client's calls are. */
export interface CallAs {
  /** On whose behalf. Default: nobody's. */
  readonly as?: PrincipalLike;
  /** Which service makes them. Default `service.test`. */
  readonly caller?: string;
  /** Whether that service is an edge. Default false. */
  readonly edge?: boolean;
}

/** A platform in one process: no etcd, no files, and no network unless asked for. */
export interface TestPlatform {
  readonly registry: MemoryRegistry;
  /** Where instances elect one of them: `depose` takes a leadership away. */
  readonly elections: MemoryElections;
  readonly keys: PlatformKeys;
  /** Where its services take live settings from: `platform.config.set('service/service.account', { 'log.level': 'debug' })` is in force when it returns. */
  readonly config: MemoryConfigSource;
  /** A service on this platform; not started yet. Its name is enough. */
  service(options: Partial<ServiceOptions> & Pick<ServiceOptions, 'name'>): Service;
  /** Starts all services that were made so far and have not been started. */
  start(): Promise<void>;
  client<D extends CompatServiceDefinition>(definition: D, options?: CallAs): Client<D, CallLimits>;
  /** A passport for a principal, valid for four minutes from now on. */
  passport(principal: PrincipalLike): Promise<string>;
  /** Stops all services. */
  stop(): Promise<void>;
}

/** Makes a platform. */
export async function createPlatform({ log = silentLogger, listen = 'inproc', env = {}, clock }: TestPlatformOptions = {}): Promise<TestPlatform> {
  const registry = memoryRegistry();
  // Shared, so that services of one name are instances to each other.
  const elections = memoryElections({ clock });
  const config = memoryConfigSource();
  const transports = [inprocTransport(), grpcTransport()];
  const keys = await createPlatformKeys();
  const services: Service[] = [];
  const callers = new Map<string, Service>();

  const make = (options: Partial<ServiceOptions> & Pick<ServiceOptions, 'name'>): Service => {
    const address = listen === 'h2c' ? 'h2c://127.0.0.1:0' : `inproc://${options.name}-${services.length}`;
    const platform = { env, log, registry, resolver: registry, transports, listen: address, keys, key: keys.of(options.name), elections, config, clock, ...options.platform };
    const service = createService({ description: 'A service of a test', ...options, platform });
    services.push(service);
    return service;
  };
  const callerOf = (name: string, edge: boolean): Service => {
    const known = callers.get(`${name} ${edge}`) ?? make({ name, edge });
    callers.set(`${name} ${edge}`, known);
    return known;
  };
  const now = (): number => (clock ?? systemClock).now();
  const passport = (as: PrincipalLike): Promise<string> => keys.passport(principalOf(as), { issuedAt: Math.floor(now() / 1000) });
  /** One that is renewed halfway, since a clock that is moved may outlast it. */
  const passports = (as: PrincipalLike): (() => Promise<string>) => {
    let current = { signed: passport(as), renewAt: now() + PASSPORT_SECONDS * 500 };
    return () => {
      if (now() >= current.renewAt) current = { signed: passport(as), renewAt: now() + PASSPORT_SECONDS * 500 };
      return current.signed;
    };
  };

  return {
    registry,
    elections,
    keys,
    config,
    service: make,
    async start() {
      const tools = new Set(callers.values());
      await Promise.all(services.filter((service) => !tools.has(service)).map((service) => service.start()));
    },
    client(definition, { as, caller = 'service.test', edge = false } = {}) {
      if (as === undefined) return callerOf(caller, edge).client(definition);
      const signed = passports(as);
      const onBehalf: ClientMiddleware = async function* (call, options) {
        return yield* call.next(call.request, { ...options, metadata: Metadata(options.metadata).set(PASSPORT_KEY, await signed()) });
      };
      return callerOf(caller, edge).client(definition, { middleware: onBehalf });
    },
    passport,
    async stop() {
      await Promise.all(services.map((service) => service.stop('the test is over')));
      await registry.close();
    },
  };
}
