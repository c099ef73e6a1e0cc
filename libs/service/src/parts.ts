import { accessRules, authClientMiddleware, loadServiceKey, remoteKeys, serviceTokens, tokenVerifier, type AccessRules, type ServiceTokens, type Verifier } from '@talaria/auth';
import { createLogger, type Checker, type Logger, type SharedDocuments } from '@talaria/base';
import { AuthServiceDefinition } from '@talaria/contracts/auth/v1/auth';
import { etcdElections, etcdRegistry, etcdResolver, memoryElections, type Registry, type ServiceElections } from '@talaria/discovery';
import { connectEtcd, etcdDocuments, type Etcd } from '@talaria/etcd';
import { healthDefinition } from '@talaria/health';
import { balancedPicker, callPolicies, liveEjection, type AdaptiveAdmission } from '@talaria/resilience';
import { contractMethod, contractName, createConnector, grpcTransport, inprocTransport, type ClientMiddleware, type Connector, type Picker, type Resolver, type Transport } from '@talaria/rpc';
import { ambientFields, startTelemetry, type Telemetry } from '@talaria/telemetry';
import { deferredLogger } from './deferred-logger.ts';
import { injectedFaults } from './injected-faults.ts';
import { serviceConfig, type ServiceConfig } from './live-config.ts';
import { nobodyServes } from './nobody-serves.ts';
import type { PlatformSettings } from './platform-settings.ts';
import { reflectionDefinitions } from './reflection/reflection.ts';
import { serverAdmission } from './server-admission.ts';
import type { SettingReader } from './setting-reader.ts';
import type { ServiceOptions } from './types.ts';
import { versionFallbackLog } from './version-fallback-log.ts';

/** The platform below one service: connected when it is first used. */
export interface Parts {
  readonly log: Logger;
  readonly transports: readonly Transport[];
  readonly connector: Connector;
  readonly resolver: Resolver;
  readonly rules: AccessRules;
  readonly verifier: Verifier;
  /** Which calls the server takes. */
  readonly admission: AdaptiveAdmission;
  readonly tokens: ServiceTokens | undefined;
  /** What tells whether the platform below is well. */
  readonly checkers: readonly Checker[];
  /** The live settings. */
  readonly config: ServiceConfig;
  /** Undefined where a registry and a resolver were given. */
  etcd(): Etcd | undefined;
  registry(): Registry;
  /** What all services share; undefined where a registry and a resolver were given. */
  documents(): SharedDocuments | undefined;
  /** Where the instances of this service elect one of them. */
  elections(): ServiceElections;
  /** Logs and traces from now on. Rejects for settings that are wrong. */
  open(): Promise<Telemetry>;
  /** What `open` made. Throws before. */
  opened(): Telemetry;
  /** Leaves the registry and ends every connection. */
  close(): Promise<void>;
  /** Fetches the keys that verify tokens as soon as auth-service can be found, so that no call has to wait for them. */
  warm(): void;
  /** Sends what telemetry still holds, for `limitMs` at most. */
  flush(limitMs: number): Promise<void>;
}

/** Contracts that others wrote, which state no rules: everybody may call them. */
const EXEMPT = [healthDefinition, ...reflectionDefinitions].map((definition) => definition.fullName);

type Environment = Readonly<Record<string, string | undefined>>;

function once<T>(make: () => T): (() => T) & { readonly made: () => T | undefined } {
  let value: { readonly of: T } | undefined;
  return Object.assign(() => (value ??= { of: make() }).of, { made: () => value?.of });
}

/** The key is read when the first token is needed. */
function ownTokens({ name, edge = false, platform = {} }: ServiceOptions, settings: PlatformSettings, env: Environment): ServiceTokens | undefined {
  const { key, clock } = platform;
  if (!key && !env['TALARIA_SERVICE_KEY_FILE']) return undefined;
  const load = async () => (await key) ?? loadServiceKey({ file: settings.keyFile, service: name });
  const loaded = once(async () => serviceTokens(await load(), { edge, ...(clock ? { clock } : {}) }));
  return { service: name, token: async () => (await loaded()).token() };
}

/** Puts the parts together. Nothing is opened, read or connected yet, and nothing throws. */
export function createParts(options: ServiceOptions, settings: PlatformSettings, reader: SettingReader, env: Environment): Parts {
  const { name, platform = {} } = options;
  const { log, attach } = deferredLogger();
  if (platform.log) attach(platform.log.with({ service: name }));
  const clock = platform.clock ? { clock: platform.clock } : {};

  const etcd = once(() => {
    const endpoints = settings.etcdEndpoints;
    return endpoints === undefined ? undefined : connectEtcd({ endpoints, log, credentials: settings.etcdCredentials });
  });
  const needEtcd = (): Etcd => {
    const connected = etcd();
    if (connected) return connected;
    throw new TypeError('A platform needs both a registry and a resolver, or neither.');
  };
  const ownRegistry = once(() => etcdRegistry({ etcd: needEtcd(), log, namespace: settings.namespace }));
  const ownResolver = once(() => etcdResolver({ etcd: needEtcd(), log, namespace: settings.namespace }));
  const config = serviceConfig({ name, env, log, settings, platform, etcd: needEtcd });
  const resolver: Resolver = platform.resolver ?? {
    resolve(contract) {
      try {
        return ownResolver().resolve(contract);
      } catch {
        // A setting is wrong: `start`, or `opening` below, says so.
        return { endpoints: undefined, onChange: () => () => {}, close: () => {} };
      }
    },
  };

  const openLog = (): void => {
    if (platform.log) return;
    attach(createLogger({ level: config.builtIn['log.level'], fields: { service: name }, ambient: ambientFields, format: settings.logFormat, output: settings.logOutput }));
  };
  const telemetry = once(async () => {
    reader.check(config.problems());
    openLog();
    return startTelemetry({ service: name, version: settings.version, instance: settings.instance, env, log, sampling: config.builtIn['telemetry.sampling'] });
  });
  let opened: Telemetry | undefined;
  const open = async (): Promise<Telemetry> => (opened ??= await telemetry());

  const registry = (): Registry => platform.registry ?? ownRegistry();
  const elections = once((): ServiceElections => {
    if (platform.elections) return platform.elections.of(name);
    if (platform.registry && platform.resolver) return memoryElections(clock).of(name);
    return etcdElections({ etcd: needEtcd(), log, service: name, instance: settings.instance, namespace: settings.namespace, ...clock });
  });

  const tokens = ownTokens(options, settings, env);
  // What an edge says reaches customers, who need not know what else there is.
  const absence = options.edge ? { explain: async (error: unknown) => error } : nobodyServes(registry);
  const opening: ClientMiddleware = async function* (call, callOptions) {
    const { clientMiddleware } = opened ?? (await open());
    try {
      return yield* clientMiddleware(call, callOptions);
    } catch (error) {
      throw await absence.explain(error, contractMethod(call.method).contract);
    }
  };
  const faulty = injectedFaults(platform.transports ?? [grpcTransport(), inprocTransport()], { env, service: name, instance: settings.instance, rules: config.builtIn['faults.rules'], log, verifier: () => verifier });
  const { transports } = faulty;
  const live = config.builtIn['call.policies'];
  const picker = (contract: string): Picker => balancedPicker({ contract, zone: settings.zone, clientId: settings.instance, ejection: liveEjection(contract, live), log, clock: platform.clock });
  const connector = createConnector({ resolver, transports, picker, policy: callPolicies({ log, live, ...clock }), onVersionFallback: versionFallbackLog(log), deadlines: config.builtIn['call.deadlines'], clock: platform.clock, middleware: [opening, ...(tokens ? [authClientMiddleware({ tokens })] : [])] });
  const auth = once(() => connector.client(AuthServiceDefinition));
  const given = options.auth?.keys ?? platform.keys;
  const fetched = remoteKeys({ fetch: async (signal) => (await auth().getKeys({}, { signal })).jwks, log, ...clock });
  const keys = given ?? fetched;

  const verifier = tokenVerifier(keys, clock);
  let stopWarming = (): void => {};

  return {
    log,
    transports,
    connector,
    resolver,
    rules: accessRules({ exempt: EXEMPT }),
    verifier,
    admission: serverAdmission({ config: config.builtIn, verifier, exempt: EXEMPT }),
    tokens,
    // Never critical: a service goes on with what it knows.
    checkers: [
      ...(platform.registry && platform.resolver ? [] : [{ name: 'etcd', check: (signal: AbortSignal) => needEtcd().checker().check(signal) }]),
      ...(config.isFollowed ? [config.checker] : []),
      ...faulty.checkers,
    ],
    config,
    etcd,
    registry,
    documents() {
      const connected = etcd();
      return connected && etcdDocuments({ etcd: connected, log, namespace: settings.namespace });
    },
    elections,
    open,
    opened() {
      if (opened) return opened;
      throw new Error('The service has not started.');
    },
    async close() {
      stopWarming();
      await Promise.all([elections.made()?.close(), config.close()]);
      await ownRegistry.made()?.close();
      await connector.close();
      ownResolver.made()?.close();
      etcd.made()?.close();
    },
    warm() {
      if (given) return;
      const resolution = resolver.resolve(contractName(AuthServiceDefinition));
      const look = (): void => {
        if (!resolution.endpoints?.length) return;
        stopWarming();
        // What fails is tried again by the first call that needs a key.
        fetched.refresh().catch(() => {});
      };
      const stopListening = resolution.onChange(look);
      stopWarming = () => {
        stopWarming = () => {};
        stopListening();
        resolution.close();
      };
      look();
    },
    async flush(limitMs) {
      await (await telemetry.made()?.catch(() => undefined))?.stop(limitMs);
    },
  };
}

