import { connect } from 'node:net';
import type { Endpoint } from '@talaria/rpc';

/** Of a process that ended, or a machine that is up without it. */
const NOBODY = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND']);

/**
 * Whether something may still be where an instance was: a process that was frozen takes connections (its kernel does), and one
 * that is cut off answers nothing. Only a refusal says that it is gone; within a process, it is.
 */
export function isThere({ addresses, id }: Endpoint, timeoutMs: number): Promise<boolean> {
  if (addresses.every((address) => address.startsWith('inproc:'))) return Promise.resolve(false);
  const at = id.lastIndexOf(':');
  return new Promise((resolve) => {
    const socket = connect({ host: id.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(id.slice(at + 1)) });
    const done = (there: boolean): void => {
      socket.destroy();
      resolve(there);
    };
    socket.setTimeout(timeoutMs, () => done(true));
    socket.once('connect', () => done(true));
    socket.once('error', (error: NodeJS.ErrnoException) => done(!NOBODY.has(error.code ?? '')));
  });
}
