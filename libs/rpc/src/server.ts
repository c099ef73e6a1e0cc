import { silentLogger, type Clock, type LiveSetting, type Logger } from '@talaria/base';
import { detached } from '@talaria/context';
import type { CompatServiceDefinition, ServiceImplementation } from 'nice-grpc';
import type { ServerMiddleware } from 'nice-grpc-common';
import type { Admission } from './admission.ts';
import { contractMethods, contractName } from './contract.ts';
import { contractCalls, type ContractCalls } from './contract-calls.ts';
import { wrongHandlers } from './handlers.ts';
import { deadlineOf, type CallDeadlines } from './live-deadlines.ts';
import { callHandler, type HandlerFunction } from './server-call.ts';
import { transportFor } from './transport-for.ts';
import type { Listener, ListenOptions, ServedMethod, Transport } from './transport.ts';

/** How a server is made. */
export interface ServerOptions extends ListenOptions {
  /** Which schemes it can listen on. */
  readonly transports: readonly Transport[];
  /** Around every handler; the first is outermost. A function is asked at each call, and answers the same array until it changes. */
  readonly middleware?: readonly ServerMiddleware[] | (() => readonly ServerMiddleware[]);
  /** Decides which calls are taken, before anything of them is decoded. Default: all are. */
  readonly admission?: Admission | undefined;
  /** Gets what is withheld from clients. Default: nothing is written. */
  readonly log?: Logger;
  /** What the deadlines of calls are measured by. Default: the client's clock where that is known (`inproc`), else the time of this machine. */
  readonly clock?: Clock | undefined;
  /** What replaces the deadlines that contracts give their methods, for calls that arrive from then on. Default: nothing. */
  readonly deadlines?: LiveSetting<CallDeadlines> | undefined;
}

/** Serves contracts on one or more addresses. */
export interface Server {
  /** Serves a contract from now on, also while running. Throws for a missing or an unknown handler and for a contract that is served already. */
  add<D extends CompatServiceDefinition>(definition: D, implementation: ServiceImplementation<D>, options?: { readonly middleware?: readonly ServerMiddleware[] }): void;
  /**
   * Refuses new calls of the contract from now on, waits up to `limitMs` (default 0) for those in flight, ends the rest with
   * UNAVAILABLE, and resolves; from then on it answers UNIMPLEMENTED. Other contracts are untouched. The contract may be
   * added again at once: new calls go to the new handlers while the old ones drain.
   */
  remove(contract: string, limitMs?: number): Promise<void>;
  /** Starts to listen, and answers the bound address: `h2c://127.0.0.1:41234`. */
  listen(address: string): Promise<string>;
  /** The contracts that it serves now. */
  contracts(): readonly string[];
  /** Refuses new calls, waits up to `limitMs` for those in flight (streams included), ends the rest, and stops listening. */
  drain(limitMs: number): Promise<void>;
  /** Resolves when `drain` is over. */
  readonly closed: Promise<void>;
}

interface Served {
  readonly methods: readonly ServedMethod[];
  readonly calls: ContractCalls;
}

/** Makes a server; it serves nothing and listens nowhere yet. */
export function createServer(options: ServerOptions): Server {
  const { transports, admission, log = silentLogger, clock, deadlines, maxRequestBytes, maxConnectionAgeMs, maxConnectionAgeGraceMs, middleware: around = [] } = options;
  const listening: ListenOptions = { maxConnectionAgeMs, maxConnectionAgeGraceMs, ...(maxRequestBytes === undefined ? {} : { maxRequestBytes }) };
  const forAll = typeof around === 'function' ? around : () => around;
  const served = new Map<string, Served>();
  const listeners: Listener[] = [];
  const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>();
  let draining: Promise<void> | undefined;

  const forget = (contract: string): void => {
    served.delete(contract);
    for (const listener of listeners) listener.remove(contract);
  };

  return {
    closed,
    contracts: () => [...served].filter(([, { calls }]) => !calls.draining).map(([contract]) => contract),
    add(definition, implementation, { middleware = [] } = {}) {
      const contract = contractName(definition);
      const known = served.get(contract);
      if (known && !known.calls.draining) throw new Error(`${contract} is served already: add it once, or remove it first`);
      const wrong = wrongHandlers(definition, implementation);
      if (wrong !== undefined) throw new Error(wrong);
      if (known) forget(contract);
      const calls = contractCalls(contract);
      const serve = { middleware: followed(forAll, middleware), log, clock };
      const methods = contractMethods(definition).map((method): ServedMethod => {
        const { path, requestStream, responseStream, key } = method;
        const longest = deadlineOf(method, deadlines);
        const handler = (implementation as Record<string, HandlerFunction>)[key] as HandlerFunction;
        return {
          path,
          requestStream,
          responseStream,
          get deadlineMs() {
            return longest();
          },
          calls,
          admission,
          options: method.options,
          handler: callHandler(method, handler.bind(implementation), serve),
        };
      });
      served.set(contract, { methods, calls });
      for (const listener of listeners) listener.add(contract, methods);
    },
    async remove(contract, limitMs = 0) {
      const leaving = served.get(contract);
      if (!leaving) return;
      await detached(() => leaving.calls.drain(limitMs));
      // It may have been added again meanwhile.
      if (served.get(contract) === leaving) forget(contract);
    },
    async listen(address) {
      if (draining) throw new Error(`The server is stopping and cannot listen on ${address}: make a new one`);
      const transport = transportFor(transports, address);
      const listener = await detached(() => transport.listen(address, listening));
      if (draining) {
        await listener.drain(0);
        throw new Error(`The server stopped while it was about to listen on ${address}`);
      }
      for (const [contract, { methods }] of served) listener.add(contract, methods);
      listeners.push(listener);
      return listener.address;
    },
    drain(limitMs) {
      draining ??= detached(async () => {
        await Promise.all(listeners.map((listener) => listener.drain(limitMs)));
        onClosed();
      });
      return draining;
    },
  };
}

/** What is around the handlers of one contract now; the same array until what is around all of them changes. */
function followed(forAll: () => readonly ServerMiddleware[], own: readonly ServerMiddleware[]): () => readonly ServerMiddleware[] {
  let seen = forAll();
  let all = [...seen, ...own];
  return () => {
    const now = forAll();
    if (now !== seen) all = [...(seen = now), ...own];
    return all;
  };
}
