import { authClientMiddleware, type ServiceTokens } from '@talaria/auth';
import { createConnector, type CallLimits, type Client, type CompatServiceDefinition, type Endpoint, type Transport } from '@talaria/rpc';

/** Clients of instances at their own addresses, whatever the registry says: for contracts that each instance answers for itself. */
export interface DirectClients {
  /** Say which instance with the call option `instance`. A call is made once: nothing is balanced, retried or traced. */
  client<D extends CompatServiceDefinition>(definition: D): Client<D, CallLimits>;
  /** Those that can be called from now on. Connections to others are closed. */
  reach(endpoints: readonly Endpoint[]): void;
  close(): Promise<void>;
}

/** What they are made of. */
export interface DirectClientsOptions {
  readonly transports: readonly Transport[];
  /** Who calls. */
  readonly tokens: ServiceTokens | undefined;
}

/** Makes clients that reach nobody yet. */
export function directClients({ transports, tokens }: DirectClientsOptions): DirectClients {
  const listeners = new Set<(endpoints: readonly Endpoint[]) => void>();
  let known: readonly Endpoint[] = [];
  const connector = createConnector({
    resolver: {
      resolve: () => ({
        get endpoints() {
          return known;
        },
        onChange(listener) {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
        close: () => {},
      }),
    },
    transports,
    // There is one of each, and every call says which.
    picker: () => ({ pick: ([first]) => first as NonNullable<typeof first> }),
    middleware: tokens ? [authClientMiddleware({ tokens })] : [],
    graceMs: 0,
  });
  return {
    client: (definition) => connector.client(definition),
    reach(endpoints) {
      known = endpoints;
      for (const listener of [...listeners]) listener(endpoints);
    },
    close: () => connector.close(),
  };
}
