import type { Connection, Listener, ServedMethod, Transport } from '@talaria/rpc';

/** A transport that moves nothing: each call is answered at once. What remains is what stands above transports. */
export interface NullTransport extends Transport {
  /** What was added to its listeners, by path. */
  readonly served: ReadonlyMap<string, ServedMethod>;
}

/** Every message. */
export const MESSAGE: Uint8Array = Buffer.from('message');

/** A connection that is always ready. */
export function nullConnection(address: string): Connection {
  return {
    address,
    state: 'ready',
    inFlight: 0,
    connect: () => {},
    onStateChange: () => () => {},
    unary: () => Promise.resolve(MESSAGE),
    stream: () => {
      throw new Error('Only unary calls are measured');
    },
    close: async () => {},
  };
}

/** Makes one. */
export function nullTransport(): NullTransport {
  const served = new Map<string, ServedMethod>();
  const listener = (address: string): Listener => ({
    address,
    closed: new Promise(() => {}),
    add(_contract, methods) {
      for (const method of methods) served.set(method.path, method);
    },
    remove: () => {},
    drain: async () => {},
  });
  return { served, schemes: ['null'], connect: nullConnection, listen: async (address) => listener(address) };
}
