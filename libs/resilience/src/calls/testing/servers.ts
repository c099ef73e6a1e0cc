import { setImmediate as turn } from 'node:timers/promises';
import type { LiveSetting } from '@talaria/base';
import { createConnector, createServer, grpcTransport, inprocTransport, staticResolver, type Connector, type ConnectorOptions, type Server, type ServiceDefinition, type Transport } from '@talaria/rpc';
import { roundRobin } from './round-robin.ts';
import { callPolicies } from '../call-policies.ts';
import type { CallPolicySettings } from '../policy-settings.ts';
import { keptLog } from './simulated-client.ts';

const text = {
  requestSerialize: (value: string) => Buffer.from(value),
  requestDeserialize: (bytes: Uint8Array) => Buffer.from(bytes).toString(),
  responseSerialize: (value: string) => Buffer.from(value),
  responseDeserialize: (bytes: Uint8Array) => Buffer.from(bytes).toString(),
  requestStream: false,
  responseStream: false,
} as const;

/** A contract: one method that may be repeated, one that may not, and one that streams. */
export const definition = {
  get: { ...text, path: '/test.Test/Get', options: { idempotencyLevel: 'NO_SIDE_EFFECTS' } },
  put: { ...text, path: '/test.Test/Put', options: {} },
  both: { ...text, path: '/test.Test/Both', requestStream: true, responseStream: true, options: {} },
} as const satisfies ServiceDefinition;

/** The same as another contract, for a hop below. */
export const below = { get: { ...definition.get, path: '/test.Below/Get' } } as const satisfies ServiceDefinition;

/** The transports, and addresses where nothing is. */
export const KINDS: readonly { readonly name: string; readonly transport: () => Transport; readonly address: string; readonly absent: readonly string[] }[] = [
  // Ports 1 to 3 of loopback: nothing listens there.
  { name: 'h2c', transport: grpcTransport, address: 'h2c://127.0.0.1:0', absent: ['h2c://127.0.0.1:1', 'h2c://127.0.0.1:2', 'h2c://127.0.0.1:3'] },
  { name: 'inproc', transport: inprocTransport, address: 'inproc://test:0', absent: ['inproc://x', 'inproc://y', 'inproc://z'] },
];

type Handler = (request: string, signal: AbortSignal) => Promise<string> | string;

/** What a test starts, and ends. */
export interface Scene {
  /** Serves both methods of a contract with `handler`, and the stream with what it answers to each request. */
  serve(handler: Handler): Promise<{ readonly at: string; readonly server: Server }>;
  serveBelow(handler: Handler): Promise<string>;
  connect(addresses: Readonly<Record<string, readonly string[]>>, live?: CallPolicySettings | LiveSetting<CallPolicySettings>, options?: Partial<ConnectorOptions>): Connector;
  close(): Promise<void>;
}

/** Makes a scene on one transport. */
export function scene(transport: Transport, address: string): Scene {
  const servers: Server[] = [];
  const connectors: Connector[] = [];
  const start = async (add: (server: Server) => void): Promise<{ at: string; server: Server }> => {
    const server = createServer({ transports: [transport] });
    servers.push(server);
    add(server);
    return { server, at: await server.listen(address) };
  };
  return {
    serve: (handler) =>
      start((server) =>
        server.add(definition, {
          get: async (request, { signal }) => handler(request, signal),
          put: async (request, { signal }) => handler(request, signal),
          async *both(requests, { signal }) {
            for await (const request of requests) yield request + (await handler(request, signal));
          },
        }),
      ),
    serveBelow: async (handler) => (await start((server) => server.add(below, { get: async (request, { signal }) => handler(request, signal) }))).at,
    connect(addresses, live, options = {}) {
      const setting = live === undefined || typeof live.get === 'function' ? (live as LiveSetting<CallPolicySettings> | undefined) : { get: () => live as CallPolicySettings, onChange: () => () => {} };
      const policy = callPolicies({ log: keptLog(), live: setting, clock: options.clock });
      const connector = createConnector({ resolver: staticResolver(addresses), transports: [transport], picker: roundRobin, policy, ...options });
      connectors.push(connector);
      return connector;
    },
    async close() {
      await Promise.all(connectors.splice(0).map((connector) => connector.close()));
      await Promise.all(servers.splice(0).map((server) => server.drain(0)));
    },
  };
}

/** Waits until it is so, 20 s at most. */
export async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!isSo()) {
    if (performance.now() > end) throw new Error('It did not become so within 20 s');
    await turn();
  }
}

/** Pends until the signal aborts. */
export function never(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));
}
