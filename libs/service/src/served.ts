import type { AccessRules } from '@talaria/auth';
import type { Logger } from '@talaria/base';
import { detached } from '@talaria/context';
import type { Registry } from '@talaria/discovery';
import { ServiceError } from '@talaria/errors';
import { healthDefinition, healthHandlers, type Health } from '@talaria/health';
import { contractName, wrongHandlers, type CompatServiceDefinition, type Server, type ServerMiddleware, type ServiceImplementation } from '@talaria/rpc';
import { STOP_MS, untilClientsKnow } from './limits.ts';
import { methodInfos, type MethodInfo } from './method-info.ts';
import { bePresent, type Presence, type Self } from './presence.ts';
import { reflectionDefinitions, reflectionHandlers } from './reflection/reflection.ts';
import { topologyDefinition, topologyHandlers, type Facts } from './topology/platform-contract.ts';
import type { Validation } from './validation/middleware.ts';
import { WiringError } from './wiring-error.ts';

/** A contract that is served, or will be. */
interface Entry {
  readonly definition: CompatServiceDefinition;
  readonly handlers: ServiceImplementation<CompatServiceDefinition>;
  readonly middleware: readonly ServerMiddleware[];
  presence: Presence | undefined;
}

/** A contract that was removed and may still be served to clients that have not heard of it. */
interface Removal {
  readonly done: Promise<void>;
  /** Ends the pause: the server refuses the contract from now on. */
  hurry(): void;
}

/** The contracts of a service: those that it has been given, and what became of each since it started. */
export interface Served {
  add(definition: CompatServiceDefinition, handlers: unknown, middleware: readonly ServerMiddleware[]): void;
  remove(definition: CompatServiceDefinition): Promise<void>;
  /** Of what was added, in order. */
  methods(): readonly MethodInfo[];
  /** Serves everything that was added, health, reflection and what the instance tells of itself, from now on. */
  attach(server: Server): Promise<void>;
  /** Registers everything, now and as it is added. Rejects if another service owns a contract or a route. */
  announce(registry: Registry, self: Self): Promise<void>;
  /** Takes the instance out of the registry, for good. */
  leave(): Promise<void>;
  /** The contracts that were added, in order. */
  contracts(): readonly string[];
  /** Whether anything is in the registry. */
  readonly announced: boolean;
}

/** Makes an empty set of contracts. */
export function createServed(parts: { readonly rules: AccessRules; readonly health: Health; readonly facts: () => Facts; readonly validation: Validation; readonly log: Logger }): Served {
  const { rules, health, facts, validation, log } = parts;
  const entries = new Map<string, Entry>();
  const removals = new Map<string, Removal>();
  let server: Server | undefined;
  let home: { readonly registry: Registry; readonly self: Self } | undefined;
  let leaving = false;
  let toldWell = true;
  let stopTelling = (): void => {};

  const serve = (on: Server, { definition, handlers, middleware }: Entry): void => {
    on.add(definition, handlers, { middleware });
    health.setServing(contractName(definition), true);
  };
  const appear = async (entry: Entry): Promise<void> => {
    if (!home) return;
    entry.presence = bePresent(home.registry, entry.definition, home.self, health.well);
    await entry.presence.ready;
  };
  /** A critical checker has begun to fail, or none does any more: clients hear of it at once, so that they call others. */
  const tellReadiness = (): void => {
    if (health.well === toldWell) return;
    toldWell = health.well;
    for (const { presence } of entries.values()) void detached(() => presence?.setReady(toldWell));
  };
  const announceLate = async (entry: Entry): Promise<void> => {
    const contract = contractName(entry.definition);
    try {
      await appear(entry);
    } catch (error) {
      // Nobody will find it here, and it stays so: a presence that was refused does not try again.
      if (entries.get(contract) === entry) health.setServing(contract, false);
      if (error instanceof ServiceError) log.error(error.message, { contract, code: error.code });
      else log.error(`${contract} cannot be announced`, { err: error });
    }
  };
  /** The walk of a contract from the registry to UNIMPLEMENTED. */
  const retire = (contract: string, { presence }: Entry): Removal => {
    const hurried = new AbortController();
    let refused: Promise<void> | undefined;
    const refuse = (): Promise<void> => (refused ??= server?.remove(contract, STOP_MS.drain) ?? Promise.resolve());
    const walk = async (): Promise<void> => {
      if (presence) {
        await presence.leave();
        // As when the service stops: clients first have to hear of it.
        await untilClientsKnow(hurried.signal);
      }
      await refuse();
    };
    const done = detached(walk).catch((error: unknown) => log.error(`${contract} could not be removed properly`, { err: error }));
    return {
      done,
      hurry() {
        hurried.abort();
        void refuse();
      },
    };
  };

  return {
    add(definition, handlers, middleware) {
      const contract = contractName(definition);
      if (leaving) throw new WiringError(`The service stops: add ${contract} to one that runs.`);
      if (entries.has(contract)) throw new WiringError(`The contract ${contract} is served already: add it once, or remove it first.`);
      const wrong = wrongHandlers(definition, handlers as object);
      if (wrong !== undefined) throw new WiringError(wrong);
      const entry: Entry = { definition, handlers: handlers as Entry['handlers'], middleware, presence: undefined };
      rules.add(definition);
      removals.get(contract)?.hurry();
      if (server) serve(server, entry);
      entries.set(contract, entry);
      if (server) validation.prepare(definition).catch((error: unknown) => log.error(`the rules of ${contract} are wrong`, { err: error }));
      void detached(() => announceLate(entry));
    },
    remove(definition) {
      const contract = contractName(definition);
      const entry = entries.get(contract);
      if (!entry) return removals.get(contract)?.done ?? Promise.resolve();
      entries.delete(contract);
      health.remove(contract);
      const removal = retire(contract, entry);
      removals.set(contract, removal);
      return removal.done.finally(() => {
        if (removals.get(contract) !== removal) return;
        removals.delete(contract);
        if (!entries.has(contract)) rules.remove(contract);
      });
    },
    methods: () => [...entries.values()].flatMap(({ definition }) => methodInfos(definition, rules)),
    async attach(to) {
      const definitions = (): CompatServiceDefinition[] => [...[...entries.values()].map(({ definition }) => definition), healthDefinition, topologyDefinition, ...reflectionDefinitions];
      to.add(healthDefinition, healthHandlers(health));
      rules.add(topologyDefinition);
      to.add(topologyDefinition, topologyHandlers(facts));
      const reflection = reflectionHandlers(definitions, health.stopped);
      for (const definition of reflectionDefinitions) to.add(definition as (typeof reflectionDefinitions)[0], reflection);
      for (const entry of entries.values()) serve(to, entry);
      server = to;
      await Promise.all([...entries.values()].map(({ definition }) => validation.prepare(definition)));
    },
    async announce(registry, self) {
      if (leaving) return;
      home = { registry, self };
      toldWell = health.well;
      stopTelling = health.onChange(tellReadiness);
      await Promise.all([...entries.values()].map(appear));
    },
    async leave() {
      leaving = true;
      home = undefined;
      stopTelling();
      await Promise.all([...entries.values()].map(async ({ presence }) => presence?.leave()));
    },
    contracts: () => [...entries.keys()],
    get announced() {
      return home !== undefined && [...entries.values()].some(({ presence }) => presence);
    },
  };
}
