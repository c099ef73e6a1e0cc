import type { Capability } from '@talaria/base';
import { createHealth } from '@talaria/health';
import type { ClientMiddleware, Endpoint, Resolution, ServerMiddleware } from '@talaria/rpc';
import { createBackground } from './background/background.ts';
import { builtInMiddleware } from './built-in-middleware.ts';
import { contractsView } from './contracts-view.ts';
import { serviceFallbacks } from './fallbacks.ts';
import { createHooks } from './hooks.ts';
import { createLifecycle } from './lifecycle.ts';
import { createMiddlewareStack } from './middleware-stack.ts';
import { createMonitor } from './monitor/monitor.ts';
import { createParts } from './parts.ts';
import { platformSettings } from './platform-settings.ts';
import { runService } from './run.ts';
import { createServed } from './served.ts';
import { settingReader } from './setting-reader.ts';
import { directClients } from './topology/direct-clients.ts';
import { factsOf } from './topology/facts.ts';
import type { OneOrMore, Service, ServiceOptions } from './types.ts';
import { createValidation } from './validation/middleware.ts';
import { WiringError } from './wiring-error.ts';

export type { Service } from './types.ts';

const list = <T extends ServerMiddleware | ClientMiddleware>(given: OneOrMore<T> = []): readonly T[] => (Array.isArray(given) ? (given as readonly T[]) : [given as T]);

/** Makes a service. Nothing is opened or connected before it starts or makes its first call; mistakes come out of `start`. */
export function createService(options: ServiceOptions): Service {
  const { name, platform = {} } = options;
  const env = platform.env ?? process.env;
  const reader = settingReader(env);
  const settings = platformSettings(reader, options, env);
  const parts = createParts(options, settings, reader, env);
  const { log } = parts;

  const capabilities: readonly Capability[] = [options.storage, options.messaging, ...(options.capabilities ?? [])].filter((each): each is Capability => each !== undefined);
  const health = createHealth({ checkers: [...parts.checkers, ...capabilities.flatMap(({ checkers }) => checkers), ...(options.checkers ?? [])], log });
  const validation = createValidation();
  const stack = createMiddlewareStack(builtInMiddleware(parts, validation.middleware));
  const served = createServed({ rules: parts.rules, health, facts: () => factsOf(name, settings, health, parts, fallbacks), validation, log });
  const background = createBackground({ log, clock: platform.clock, elections: parts.elections, tracer: () => parts.opened().tracer, addChecker: (checker) => health.add(checker) });
  const hooks = createHooks();
  const fallbacks = serviceFallbacks({ health, stack, clock: platform.clock });
  const contracts = contractsView(parts.registry);
  const resolutions = new Map<string, Resolution>();
  const release = (): void => {
    contracts.close();
    for (const resolution of resolutions.values()) resolution.close();
  };
  const monitor = createMonitor({ log, service: name, instance: settings.instance, elections: parts.elections, reports: () => parts.registry().reports, resolver: parts.resolver, contracts: served.contracts, clients: () => directClients(parts) });
  const lifecycle = createLifecycle({ name, env, clock: platform.clock, settings, parts, capabilities, health, served, monitor, background, hooks, middleware: stack.current, release });
  let running = false;

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
    use(middleware, where = {}) {
      stack.use(middleware, where);
      return service;
    },
    middleware: () => stack.names(),
    methods: () => served.methods(),
    method: (wanted) => served.methods().find(({ path }) => path === (wanted.startsWith('/') ? wanted : `/${wanted}`)),
    client: (definition, { middleware, fallback } = {}) => fallbacks.around(definition, parts.connector.client(definition, { middleware: list(middleware) }), fallback),
    worker(worker, run) {
      background.worker(worker, run);
      return service;
    },
    leader(leader, run) {
      background.leader(leader, run);
      return service;
    },
    get elections() {
      return parts.elections();
    },
    every(interval, schedule, run, where = {}) {
      background.every(interval, schedule, run, where);
      return service;
    },
    onStart(hook, limits = {}) {
      hooks.add('onStart', hook, limits);
      return service;
    },
    onReady(hook, limits = {}) {
      hooks.add('onReady', hook, limits);
      return service;
    },
    onStop(hook, { phase = 'drain', ...limits } = {}) {
      hooks.addStop(phase, hook, limits);
      return service;
    },
    settings: (shape) => reader.read(shape),
    config(shape) {
      try {
        return parts.config.declare(shape);
      } catch (error) {
        throw new WiringError((error as Error).message);
      }
    },
    contracts,
    endpoints(contract): readonly Endpoint[] | undefined {
      const resolution = resolutions.get(contract) ?? parts.resolver.resolve(contract);
      resolutions.set(contract, resolution);
      return resolution.endpoints;
    },
    verifier: parts.verifier,
    tokens: parts.tokens,
    health,
    start: () => lifecycle.start(),
    ready: lifecycle.ready,
    get address() {
      return lifecycle.address;
    },
    stop: (reason = 'it was asked to') => lifecycle.stop(reason),
    closed: lifecycle.closed,
    run() {
      if (running) return Promise.reject(new WiringError('run() was called already: call it once, as the last thing in main.'));
      running = true;
      return runService(service, env['TALARIA_SUPERVISED'] === '1');
    },
  };
  return service;
}
