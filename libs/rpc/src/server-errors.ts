import type { Logger } from '@talaria/base';
import { cancelled, internal, ServiceError, timeout, toWire } from '@talaria/errors';
import { type Metadata, ServerError } from 'nice-grpc-common';
import { copyMetadata } from './copy-metadata.ts';

/** An error as it leaves a server. */
export interface OutgoingError {
  readonly error: ServerError;
  readonly trailer: Metadata;
}

function serviceErrorOf(error: unknown, path: string, log: Logger): ServiceError {
  if (error instanceof ServiceError) return error;
  const name = error instanceof Error ? error.name : '';
  if (name === 'AbortError') return cancelled('call', 'The call was cancelled', { cause: error });
  if (name === 'TimeoutError') return timeout('deadline', 'The deadline of the call has passed', { cause: error });
  log.error('a handler failed', { method: path, err: error });
  return internal('', 'internal error', { cause: error });
}

/** Maps what a handler or a middleware threw. Anything but a ServiceError or a ServerError is logged and withheld. */
export function outgoingError(error: unknown, path: string, trailer: Metadata, log: Logger): OutgoingError {
  if (error instanceof ServerError) return { error, trailer };
  const wire = toWire(serviceErrorOf(error, path, log));
  const all = copyMetadata(trailer);
  for (const [key, values] of wire.trailer) all.set(key, values as string[]);
  return { error: new ServerError(wire.status, wire.message), trailer: all };
}
