import type { Transport } from '../transport.ts';
import { inprocConnection } from './connection.ts';
import { inprocListener, type InprocListener } from './listener.ts';

const SCHEME = 'inproc://';

/**
 * Calls within one process, without sockets, with the semantics of one that has them: addresses `inproc://name`. Only
 * connections and listeners of the same transport object find each other. `inproc://` and names that end in `:0` take a free name.
 */
export function inprocTransport(): Transport {
  const listeners = new Map<string, InprocListener>();
  let taken = 0;
  return {
    schemes: ['inproc'],
    connect: (address, options = {}) => inprocConnection(address, () => listeners.get(address), options),
    async listen(address, options = {}) {
      if (!address.startsWith(SCHEME)) throw new Error(`The address ${address} is malformed: it has to be ${SCHEME}name`);
      const name = address.slice(SCHEME.length);
      const bound = name === '' || name.endsWith(':0') ? `${SCHEME}${name === '' ? 'server' : name.slice(0, -2)}:${++taken}` : address;
      if (listeners.has(bound)) throw new Error(`${bound} is taken by another listener: stop it, or choose another name`);
      const listener = inprocListener(bound, options, () => {
        if (listeners.get(bound) === listener) listeners.delete(bound);
      });
      listeners.set(bound, listener);
      return listener;
    },
  };
}
