import { silentLogger, type Clock, type Logger } from '@talaria/base';
import { detached } from '@talaria/context';
import type { CompatServiceDefinition, ServiceImplementation } from 'nice-grpc';
import type { ServerMiddleware } from 'nice-grpc-common';
import { contractMethods, contractName } from './contract.ts';
import { callHandler, type HandlerFunction } from './server-call.ts';
import { transportFor } from './transport-for.ts';
import type { IncomingCall, Listener, ServedMethod, Transport } from './transport.ts';

/** How a server is made. */
export interface ServerOptions {
  /** Which schemes it can listen on. */
  readonly transports: readonly Transport[];
  /** Around every handler; the first is outermost. */
  readonly middleware?: readonly ServerMiddleware[];
  /** Runs before anything of a call is decoded; what it throws refuses the call. */
  readonly admit?: (call: IncomingCall) => void | Promise<void>;
  /** Gets what is withheld from clients. Default: nothing is written. */
  readonly log?: Logger;
  /** What the deadlines of calls are measured by. Default: the client's clock where that is known (`inproc`), else the time of this machine. */
  readonly clock?: Clock | undefined;
  /** Greatest request, in bytes. Default 4 MiB. */
  readonly maxRequestBytes?: number;
}

/** Serves contracts on one or more addresses. */
export interface Server {
  /** Serves a contract from now on, also while running. Throws for a missing or an unknown handler and for a contract that is served already. */
  add<D extends CompatServiceDefinition>(definition: D, implementation: ServiceImplementation<D>, options?: { readonly middleware?: readonly ServerMiddleware[] }): void;
  /** Answers UNIMPLEMENTED for the contract from now on; calls in flight go on. */
  remove(contract: string): void;
  /** Starts to listen, and answers the bound address: `h2c://127.0.0.1:41234`. */
  listen(address: string): Promise<string>;
  /** The contracts that it serves now. */
  contracts(): readonly string[];
  /** Refuses new calls, waits up to `limitMs` for those in flight (streams included), ends the rest, and stops listening. */
  drain(limitMs: number): Promise<void>;
  /** Resolves when `drain` is over. */
  readonly closed: Promise<void>;
}

function handlersOf(contract: string, definition: CompatServiceDefinition, implementation: object): Map<string, HandlerFunction> {
  const methods = contractMethods(definition);
  const functions = implementation as Record<string, unknown>;
  const found = new Map<string, HandlerFunction>();
  for (const { key } of methods) {
    const handler = functions[key];
    if (typeof handler !== 'function') throw new Error(`The implementation of ${contract} has no handler ${key}: add it`);
    found.set(key, (handler as HandlerFunction).bind(implementation));
  }
  const unknown = Object.keys(functions).find((key) => typeof functions[key] === 'function' && !found.has(key));
  if (unknown !== undefined) throw new Error(`The implementation of ${contract} has a handler ${unknown} for which there is no method: it has ${[...found.keys()].join(', ')}`);
  return found;
}

/** Makes a server; it serves nothing and listens nowhere yet. */
export function createServer(options: ServerOptions): Server {
  const { transports, admit, log = silentLogger, clock, maxRequestBytes } = options;
  const served = new Map<string, readonly ServedMethod[]>();
  const listeners: Listener[] = [];
  const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>();
  let draining: Promise<void> | undefined;

  return {
    closed,
    contracts: () => [...served.keys()],
    add(definition, implementation, { middleware = [] } = {}) {
      const contract = contractName(definition);
      if (served.has(contract)) throw new Error(`${contract} is served already: add it once, or remove it first`);
      const handlers = handlersOf(contract, definition, implementation);
      const serve = { middleware: [...(options.middleware ?? []), ...middleware], admit, log, clock };
      const methods = contractMethods(definition).map((method): ServedMethod => {
        const { path, requestStream, responseStream, key } = method;
        return { path, requestStream, responseStream, handler: callHandler(method, handlers.get(key) as HandlerFunction, serve) };
      });
      served.set(contract, methods);
      for (const listener of listeners) listener.add(contract, methods);
    },
    remove(contract) {
      served.delete(contract);
      for (const listener of listeners) listener.remove(contract);
    },
    async listen(address) {
      if (draining) throw new Error(`The server is stopping and cannot listen on ${address}: make a new one`);
      const transport = transportFor(transports, address);
      const listener = await detached(() => transport.listen(address, maxRequestBytes === undefined ? {} : { maxRequestBytes }));
      if (draining) {
        await listener.drain(0);
        throw new Error(`The server stopped while it was about to listen on ${address}`);
      }
      for (const [contract, methods] of served) listener.add(contract, methods);
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
