import { authServerMiddleware } from '@talaria/auth';
import { sleep, type Capability, type Host } from '@talaria/base';
import { detached } from '@talaria/context';
import { createHealth } from '@talaria/health';
import { createServer, type ClientMiddleware, type Endpoint, type Resolution, type Server, type ServerMiddleware } from '@talaria/rpc';
import { advertised } from './addresses.ts';
import { contractsView } from './contracts-view.ts';
import { STOP_MS, within } from './limits.ts';
import { createParts } from './parts.ts';
import { platformSettings } from './platform-settings.ts';
import { runService } from './run.ts';
import { createServed } from './served.ts';
import { settingReader } from './setting-reader.ts';
import type { OneOrMore, Service, ServiceOptions, StopPhase } from './types.ts';
import { createValidation } from './validation/middleware.ts';
import { WiringError } from './wiring-error.ts';
import { createWorkers } from './workers.ts';

export type { Service } from './types.ts';

const list = <T extends ServerMiddleware | ClientMiddleware>(given: OneOrMore<T> = []): readonly T[] => (Array.isArray(given) ? (given as readonly T[]) : [given as T]);

/** A capability that has not started within this time, in ms, is worth a line. */
const PATIENCE_MS = 3_000;

/** Makes a service. Nothing is opened or connected before it starts or makes its first call; mistakes come out of `start`. */
export function createService(options: ServiceOptions): Service {
  const { name, platform = {} } = options;
  const env = platform.env ?? process.env;
  const reader = settingReader(env);
  const settings = platformSettings(reader, options, env);
  const parts = createParts(options, settings, reader, env);
  const { log } = parts;

  const capabilities: readonly Capability[] = [options.storage, options.messaging, ...(options.capabilities ?? [])].filter((each): each is Capability => each !== undefined);
  const started: Capability[] = [];
  const health = createHealth({ checkers: [...parts.checkers, ...capabilities.flatMap(({ checkers }) => checkers), ...(options.checkers ?? [])], log });
  const validation = createValidation();
  const served = createServed({ rules: parts.rules, health, validation, log });
  const workers = createWorkers(log);
  const contracts = contractsView(parts.registry);
  const used: ServerMiddleware[] = [];
  const hooks: { readonly phase: StopPhase; readonly hook: () => void | Promise<void> }[] = [];
  const resolutions = new Map<string, Resolution>();
  const starting = new AbortController();
  const { promise: ready, resolve: isReady, reject: isNotReady } = Promise.withResolvers<void>();
  const { promise: closed, resolve: isClosed } = Promise.withResolvers<void>();
  ready.catch(() => {}); // Whoever waits for it hears of it; nobody has to.
  let server: Server | undefined;
  let address: string | undefined;
  let startup: Promise<void> | undefined;
  let outcome: Promise<void> | undefined;
  let stopping: Promise<void> | undefined;

  const startCapabilities = async (): Promise<void> => {
    const host: Host = { service: name, instance: settings.instance, log, env };
    for (const capability of capabilities) {
      const waiting = setTimeout(() => log.info(`waiting for ${capability.name}`), PATIENCE_MS);
      started.push(capability);
      await capability.start(host, starting.signal).finally(() => clearTimeout(waiting));
    }
  };

  async function startNow(): Promise<void> {
    const { serverMiddleware } = await parts.open();
    if (!parts.tokens) throw new WiringError('TALARIA_SERVICE_KEY_FILE is missing: run "npx nx serve <app>", which makes a key and sets it, or set it to a file with the private JWK of this service.');
    await parts.tokens.token();
    await startCapabilities();
    starting.signal.throwIfAborted();

    const auth = authServerMiddleware({ verifier: parts.verifier, rules: parts.rules });
    server = createServer({ transports: parts.transports, middleware: [serverMiddleware, auth, validation.middleware, ...used], log, clock: platform.clock });
    await served.attach(server);
    address = await server.listen(settings.listen);
    const self = { service: name, instance: settings.instance, version: settings.version, zone: settings.zone, startedAt: new Date().toISOString() };
    const announced = served.announce(parts.registry(), { ...self, advertised: advertised(address, settings.advertise, settings.instance) });
    await orAborted(announced, starting.signal);

    health.setOverall(true);
    health.start();
    parts.warm();
    workers.start();
    log.info('ready', { address, instance: settings.instance, version: settings.version });
  }

  async function stopNow(reason: string): Promise<void> {
    const startedAt = performance.now();
    const limit = (ms: number): number => Math.max(100, Math.min(ms, STOP_MS.total - (performance.now() - startedAt)));
    const runHooks = (phase: StopPhase): Promise<unknown> => Promise.all(hooks.filter((each) => each.phase === phase).map(async ({ hook }) => hook()));
    starting.abort(new Error(`The service stops: ${reason}.`));
    if (startup) await within(limit(STOP_MS.capability), 'the start that was under way', log, () => startup?.catch(() => {}));
    if (server) log.info('stopping', { reason });

    health.setOverall(false);
    const wasKnown = served.announced;
    await within(limit(STOP_MS.leave), 'leaving the registry', log, () => served.leave());
    await within(limit(STOP_MS.leave), 'a stop hook', log, () => runHooks('leave'));
    if (wasKnown) await sleep(STOP_MS.pause);
    health.stop();
    await within(limit(STOP_MS.drain + 200), 'draining', log, () => Promise.all([server?.drain(STOP_MS.drain), runHooks('drain')]));
    await within(limit(STOP_MS.workers), 'stopping the workers', log, () => workers.stop());
    for (const capability of started.reverse()) await within(limit(STOP_MS.capability), `stopping ${capability.name}`, log, () => capability.stop());
    await within(limit(STOP_MS.capability), 'a stop hook', log, () => runHooks('release'));
    contracts.close();
    for (const resolution of resolutions.values()) resolution.close();
    await within(limit(STOP_MS.close), 'closing the connections', log, () => parts.close());
    if (server) log.info('stopped', { reason, duration_ms: Math.round(performance.now() - startedAt) });
    await parts.flush(limit(STOP_MS.flush));
    isClosed();
  }

  const service: Service = {
    name,
    instance: settings.instance,
    get version() {
      return settings.version;
    },
    log,
    env,
    add(definition, handlers, { middleware } = {}) {
      served.add(definition, handlers, list(middleware));
      return service;
    },
    remove: (definition) => served.remove(definition),
    use(middleware) {
      if (startup) throw new WiringError('Middleware for all contracts has to be there before the service starts: call use() before start() or run().');
      used.push(middleware);
      return service;
    },
    client: (definition, { middleware } = {}) => parts.connector.client(definition, { middleware: list(middleware) }),
    worker(worker, run) {
      workers.add(worker, run);
      return service;
    },
    onStop(hook, { phase = 'drain' } = {}) {
      hooks.push({ phase, hook });
      return service;
    },
    settings: (shape) => reader.read(shape),
    contracts,
    endpoints(contract): readonly Endpoint[] | undefined {
      const resolution = resolutions.get(contract) ?? parts.resolver.resolve(contract);
      resolutions.set(contract, resolution);
      return resolution.endpoints;
    },
    verifier: parts.verifier,
    tokens: parts.tokens,
    health,
    start() {
      if (stopping && !outcome) return Promise.reject(new WiringError('The service was stopped: make a new one.'));
      startup ??= detached(startNow);
      outcome ??= startup.then(isReady, async (error: unknown) => {
        isNotReady(error);
        await service.stop('it could not start');
        throw error;
      });
      return outcome;
    },
    ready,
    get address() {
      return address;
    },
    stop(reason = 'it was asked to') {
      stopping ??= detached(() => stopNow(reason));
      return stopping;
    },
    closed,
    run: () => runService(service, env['TALARIA_SUPERVISED'] === '1'),
  };
  return service;
}

/** Settles as `work` does, unless the signal aborts first. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
