import { sleep } from '@talaria/base';
import type { AccessRules } from '@talaria/auth';
import type { Logger } from '@talaria/base';
import type { Registry } from '@talaria/discovery';
import { healthDefinition, healthHandlers, type Health } from '@talaria/health';
import { contractName, type CompatServiceDefinition, type Server, type ServerMiddleware, type ServiceImplementation } from '@talaria/rpc';
import { STOP_MS } from './limits.ts';
import { bePresent, type Presence, type Self } from './presence.ts';
import { reflectionDefinitions, reflectionHandlers } from './reflection/reflection.ts';
import type { Validation } from './validation/middleware.ts';
import { WiringError } from './wiring-error.ts';

interface Entry {
  readonly definition: CompatServiceDefinition;
  readonly handlers: ServiceImplementation<CompatServiceDefinition>;
  readonly middleware: readonly ServerMiddleware[];
}

/** The contracts of a service: those that it has been given, and what became of each since it started. */
export interface Served {
  add(definition: CompatServiceDefinition, handlers: unknown, middleware: readonly ServerMiddleware[]): void;
  remove(definition: CompatServiceDefinition): Promise<void>;
  /** Serves everything that was added, health and reflection from now on. */
  attach(server: Server): Promise<void>;
  /** Registers everything, now and as it is added. Rejects if another service owns a contract or a route. */
  announce(registry: Registry, self: Self): Promise<void>;
  /** Takes the instance out of the registry. */
  leave(): Promise<void>;
  /** Whether anything is in the registry. */
  readonly announced: boolean;
}

/** Makes an empty set of contracts. */
export function createServed(parts: { readonly rules: AccessRules; readonly health: Health; readonly validation: Validation; readonly log: Logger }): Served {
  const { rules, health, validation, log } = parts;
  const entries = new Map<string, Entry>();
  const presences = new Map<string, Presence>();
  let server: Server | undefined;
  let home: { readonly registry: Registry; readonly self: Self } | undefined;

  const serve = (on: Server, { definition, handlers, middleware }: Entry): void => {
    on.add(definition, handlers, { middleware });
    health.setServing(contractName(definition), true);
  };
  const appear = (definition: CompatServiceDefinition): Promise<void> => {
    if (!home) return Promise.resolve();
    const presence = bePresent(home.registry, definition, home.self);
    presences.set(contractName(definition), presence);
    return presence.ready;
  };

  return {
    add(definition, handlers, middleware) {
      const contract = contractName(definition);
      if (entries.has(contract)) throw new WiringError(`The contract ${contract} is served already: add it once.`);
      const entry = { definition, handlers: handlers as Entry['handlers'], middleware };
      rules.add(definition);
      if (server) serve(server, entry);
      entries.set(contract, entry);
      if (server) validation.prepare(definition).catch((error: unknown) => log.error(`the rules of ${contract} are wrong`, { err: error }));
      appear(definition).catch((error: unknown) => log.error(`${contract} cannot be announced`, { err: error }));
    },
    async remove(definition) {
      const contract = contractName(definition);
      if (!entries.delete(contract)) return;
      health.remove(contract);
      const presence = presences.get(contract);
      presences.delete(contract);
      await presence?.leave();
      // As when the service stops: clients first have to hear of it.
      if (presence) await sleep(STOP_MS.pause);
      server?.remove(contract);
    },
    async attach(to) {
      const definitions = (): CompatServiceDefinition[] => [...[...entries.values()].map(({ definition }) => definition), healthDefinition, ...reflectionDefinitions];
      to.add(healthDefinition, healthHandlers(health));
      const reflection = reflectionHandlers(definitions, health.stopped);
      for (const definition of reflectionDefinitions) to.add(definition as (typeof reflectionDefinitions)[0], reflection);
      for (const entry of entries.values()) serve(to, entry);
      server = to;
      await Promise.all([...entries.values()].map(({ definition }) => validation.prepare(definition)));
    },
    async announce(registry, self) {
      home = { registry, self };
      await Promise.all([...entries.values()].map(({ definition }) => appear(definition)));
    },
    async leave() {
      home = undefined;
      const leaving = [...presences.values()].map((presence) => presence.leave());
      presences.clear();
      await Promise.all(leaving);
    },
    get announced() {
      return presences.size > 0;
    },
  };
}
