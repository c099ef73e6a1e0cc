import type { Capability, Clock, Host } from '@talaria/base';
import { detached } from '@talaria/context';
import type { Health } from '@talaria/health';
import { createServer, type Server, type ServerMiddleware } from '@talaria/rpc';
import { advertised } from './addresses.ts';
import type { Background } from './background/background.ts';
import type { Hooks, StopPhase } from './hooks.ts';
import { STOP_MS, untilClientsKnow, within } from './limits.ts';
import { orAborted } from './or-aborted.ts';
import type { Monitor } from './monitor/monitor.ts';
import type { Parts } from './parts.ts';
import type { PlatformSettings } from './platform-settings.ts';
import type { Served } from './served.ts';
import { WiringError } from './wiring-error.ts';

/** The life of a service: it starts once, and stops once. */
export interface Lifecycle {
  start(): Promise<void>;
  readonly ready: Promise<void>;
  stop(reason: string): Promise<void>;
  readonly closed: Promise<string>;
  readonly address: string | undefined;
}

/** What is started and stopped. */
export interface LifecycleParts {
  readonly name: string;
  readonly env: Host['env'];
  /** For the deadlines of calls. Default: the time of this machine. */
  readonly clock: Clock | undefined;
  readonly settings: PlatformSettings;
  readonly parts: Parts;
  readonly capabilities: readonly Capability[];
  readonly health: Health;
  readonly served: Served;
  readonly monitor: Monitor;
  readonly background: Background;
  readonly hooks: Hooks;
  /** What goes around all handlers, outermost first; the same array until it changes. */
  readonly middleware: () => readonly ServerMiddleware[];
  /** What else holds something open, to be closed at the end. */
  readonly release: () => void;
}

/** A capability that has not started within this time, in ms, is worth a line. */
const PATIENCE_MS = 3_000;

/** Starts and stops the parts of a service, in the order that the README gives. */
export function createLifecycle(all: LifecycleParts): Lifecycle {
  const { parts, health, served, monitor, background, hooks } = all;
  const { log } = parts;
  const started: Capability[] = [];
  const starting = new AbortController();
  const { promise: ready, resolve: isReady, reject: isNotReady } = Promise.withResolvers<void>();
  const { promise: closed, resolve: isClosed } = Promise.withResolvers<string>();
  ready.catch(() => {}); // Whoever waits for it hears of it; nobody has to.
  let server: Server | undefined;
  let address: string | undefined;
  let startup: Promise<void> | undefined;
  let outcome: Promise<void> | undefined;
  let stopping: Promise<void> | undefined;

  const startCapabilities = async (): Promise<void> => {
    const documents = parts.documents();
    const { name: service, env } = all;
    const host: Host = {
      service,
      instance: all.settings.instance,
      log,
      env,
      // Opened by the first capability that asks for them.
      get elections() {
        return parts.elections();
      },
      ...(documents ? { documents } : {}),
    };
    for (const capability of all.capabilities) {
      const waiting = setTimeout(() => log.info(`waiting for ${capability.name}`), PATIENCE_MS);
      started.push(capability);
      await capability.start(host, starting.signal).finally(() => clearTimeout(waiting));
    }
  };

  async function startNow(): Promise<void> {
    const { settings } = all;
    await parts.open();
    await parts.config.start(starting.signal);
    if (!parts.tokens) throw new WiringError('TALARIA_SERVICE_KEY_FILE is missing: run "npx nx serve <app>", which makes a key and sets it, or set it to a file with the private JWK of this service.');
    await parts.tokens.token();
    await startCapabilities();
    await hooks.start('onStart', starting.signal);
    starting.signal.throwIfAborted();

    server = createServer({ transports: parts.transports, middleware: all.middleware, log, clock: all.clock, deadlines: parts.config.builtIn['call.deadlines'], admission: parts.admission });
    await served.attach(server);
    address = await listen(server, settings.listen);
    const self = { service: all.name, instance: settings.instance, version: settings.version, zone: settings.zone, startedAt: new Date().toISOString() };
    const announced = served.announce(parts.registry(), { ...self, advertised: advertised(address, settings.advertise, settings.instance) });
    await orAborted(announced, starting.signal);

    health.setOverall(true);
    health.start();
    parts.warm();
    background.start();
    if (served.announced) monitor.start();
    await hooks.start('onReady', starting.signal);
    log.info('ready', { address, instance: settings.instance, version: settings.version });
  }

  async function stopNow(reason: string): Promise<void> {
    const startedAt = performance.now();
    const limit = (ms: number): number => Math.max(100, Math.min(ms, STOP_MS.total - (performance.now() - startedAt)));
    const step = (ms: number, what: string, work: () => unknown): Promise<void> => within(limit(ms), what, log, work);
    const runHooks = (phase: StopPhase): Promise<void> => hooks.stop(phase, limit, log);
    starting.abort(new Error(`The service stops: ${reason}.`));
    if (startup) await step(STOP_MS.capability, 'the start that was under way', () => startup?.catch(() => {}));
    else isNotReady(new WiringError('The service was stopped before it was started.'));
    if (server) log.info('stopping', { reason });

    health.setOverall(false);
    const wasKnown = served.announced;
    await Promise.all([step(STOP_MS.leave, 'leaving the registry', () => served.leave()), step(STOP_MS.leave, 'ending the monitor', () => monitor.stop())]);
    await runHooks('leave');
    if (wasKnown) await untilClientsKnow();
    health.stop();
    const schedules = step(STOP_MS.drain, 'stopping the schedules', () => background.stopSchedules());
    await Promise.all([step(STOP_MS.drain + 200, 'draining', () => server?.drain(STOP_MS.drain)), runHooks('drain'), schedules]);
    await step(STOP_MS.workers, 'stopping the workers', () => background.stopWorkers());
    for (const capability of started.reverse()) await step(STOP_MS.capability, `stopping ${capability.name}`, () => capability.stop());
    await runHooks('release');
    all.release();
    await step(STOP_MS.close, 'closing the connections', () => parts.close());
    if (server) log.info('stopped', { reason, duration_ms: Math.round(performance.now() - startedAt) });
    await parts.flush(limit(STOP_MS.flush));
    isClosed(reason);
  }

  const lifecycle: Lifecycle = {
    start() {
      if (stopping && !outcome) return Promise.reject(new WiringError('The service was stopped: make a new one with createService().'));
      startup ??= detached(startNow);
      outcome ??= startup.then(isReady, async (error: unknown) => {
        isNotReady(error);
        await lifecycle.stop('it could not start');
        throw error;
      });
      return outcome;
    },
    ready,
    stop(reason) {
      stopping ??= detached(() => stopNow(reason));
      return stopping;
    },
    closed,
    get address() {
      return address;
    },
  };
  return lifecycle;
}

async function listen(server: Server, wanted: string): Promise<string> {
  try {
    return await server.listen(wanted);
  } catch (error) {
    // One sentence, with the fix; a stack would hide it.
    throw new WiringError(`${(error as Error).message}; the address is that of TALARIA_LISTEN.`, { cause: error });
  }
}
