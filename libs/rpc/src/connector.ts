import type { Clock, LiveSetting } from '@talaria/base';
import type { Client, CompatServiceDefinition } from 'nice-grpc';
import type { ClientMiddleware } from 'nice-grpc-common';
import { oneAttempt } from './begun-call.ts';
import type { CallLimits } from './call-limits.ts';
import type { CallPolicy } from './call-policy.ts';
import type { VersionFallback } from './call-target.ts';
import { clientMethod } from './client-call.ts';
import { coarseTimers } from './coarse-timers.ts';
import { connectionPool, type PoolOptions } from './connection-pool.ts';
import { contractMethods, contractName } from './contract.ts';
import type { CallDeadlines } from './live-deadlines.ts';
import type { Picker } from './picker.ts';
import type { Resolver } from './resolver.ts';
import { openRoute, type Route } from './route.ts';
import type { ContractTopology } from './topology.ts';
import type { Transport } from './transport.ts';

/** How a connector is made. */
export interface ConnectorOptions {
  readonly resolver: Resolver;
  readonly transports: readonly Transport[];
  /** Makes the picker of one contract, such as `(contract) => balancedPicker({ contract })`. */
  readonly picker: (contract: string) => Picker;
  /** Makes the policy of the calls of one contract. Default: one attempt, for as long as the call may take. */
  readonly policy?: ((contract: string) => CallPolicy) | undefined;
  /** Around the calls of every client; the first is outermost. */
  readonly middleware?: readonly ClientMiddleware[];
  /** Greatest response, in bytes. Default 4 MiB. */
  readonly maxResponseBytes?: number;
  /** The longest one attempt to connect to an instance may take, in ms. Default 1,000. */
  readonly connectTimeoutMs?: number;
  /** How many sockets there are to an instance, how long they last, and how instances are watched. Default: see each. */
  readonly connections?: PoolOptions | undefined;
  /** For calls to which neither the ambient call nor their options set a deadline. Default 10,000. */
  readonly defaultTimeoutMs?: number;
  /** What replaces the deadlines that contracts give their methods, for calls that begin from then on. Default: nothing. */
  readonly deadlines?: LiveSetting<CallDeadlines> | undefined;
  /** What the deadlines of calls outside of calls are measured by, and pauses between attempts. Default: the time of this machine. */
  readonly clock?: Clock | undefined;
  /** How long a call waits for the resolver's first answer. Default 1,000. */
  readonly firstAnswerMs?: number;
  /** Told when a call preferred a version (`talaria-versions`) that nobody could give it, and goes to another. Must not throw. */
  readonly onVersionFallback?: ((fallback: VersionFallback) => void) | undefined;
  /** How long calls to an instance that is gone from the resolver may go on. Default 10,000. */
  readonly graceMs?: number;
}

/** What the clients of a process share: what is known of the contracts, and the connections to their instances. */
export interface Connector {
  /** A typed client of a contract. Cheap; its calls inherit the ambient call, and fail with a `ServiceError`. */
  client<D extends CompatServiceDefinition>(definition: D, options?: { readonly middleware?: readonly ClientMiddleware[] }): Client<D, CallLimits>;
  /** What is known now of every contract that was called. */
  topology(): readonly ContractTopology[];
  /** Refuses new calls, waits up to `graceMs` (default 0) for those in flight, and closes all connections. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/** Makes a connector. It resolves and connects when it is first used. */
export function createConnector(options: ConnectorOptions): Connector {
  const { resolver, transports, picker, policy = () => oneAttempt, middleware = [], maxResponseBytes, connectTimeoutMs, defaultTimeoutMs = 10_000, deadlines, clock, firstAnswerMs = 1_000, onVersionFallback, graceMs = 10_000, connections } = options;
  const connect = { ...(maxResponseBytes === undefined ? {} : { maxResponseBytes }), ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }) };
  const pool = connectionPool(transports, { ...connections, ...connect }, graceMs);
  const timers = coarseTimers();
  const routes = new Map<string, Route>();
  const policies = new Map<string, CallPolicy>();
  let closing: Promise<void> | undefined;

  const route = (contract: string): Route => {
    let found = routes.get(contract);
    if (!found) {
      if (closing) throw new Error(`The connector is closed: make the call of ${contract} before closing it`);
      found = openRoute(contract, { resolver, pool, picker: picker(contract), firstAnswerMs, onVersionFallback, onChange: () => policies.get(contract)?.instancesChanged?.() });
      routes.set(contract, found);
    }
    return found;
  };

  const policyOf = (contract: string): CallPolicy => {
    let found = policies.get(contract);
    if (!found) {
      found = policy(contract);
      policies.set(contract, found);
    }
    return found;
  };

  return {
    client<D extends CompatServiceDefinition>(definition: D, extra: { readonly middleware?: readonly ClientMiddleware[] } = {}) {
      const contract = contractName(definition);
      const parts = { route: () => route(contract), policy: () => policyOf(contract), timers, middleware: [...middleware, ...(extra.middleware ?? [])], defaultTimeoutMs, deadlines, clock };
      const methods = contractMethods(definition).map((method) => [method.key, clientMethod(method, parts)]);
      return Object.fromEntries(methods) as Client<D, CallLimits>;
    },
    topology: () =>
      [...routes].map(([contract, { picker: describer, current }]) => ({
        contract,
        endpoints: current().map((candidate) => ({
          endpoint: candidate.endpoint,
          connection: { state: candidate.connection.state, inFlight: candidate.connection.inFlight, connections: candidate.connection.connections },
          stats: describer.describe?.(candidate),
        })),
        methods: policies.get(contract)?.describe?.() ?? [],
      })),
    close({ graceMs: closeGraceMs = 0 } = {}) {
      closing ??= (async () => {
        await pool.close(closeGraceMs);
        for (const open of routes.values()) open.close();
      })();
      return closing;
    },
  };
}
