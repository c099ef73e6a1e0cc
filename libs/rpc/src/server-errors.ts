import type { Logger } from '@talaria/base';
import { isUnforeseen, publicError, toWire } from '@talaria/errors';
import { type Metadata, ServerError } from 'nice-grpc-common';
import { copyMetadata } from './copy-metadata.ts';

/** An error as it leaves a server. */
export interface OutgoingError {
  readonly error: ServerError;
  readonly trailer: Metadata;
}

/** Maps what a handler or a middleware threw. Anything but a ServiceError, a set of them, or a ServerError is logged and withheld. */
export function outgoingError(error: unknown, path: string, trailer: Metadata, log: Logger): OutgoingError {
  if (error instanceof ServerError) return { error, trailer };
  if (isUnforeseen(error)) log.error('a handler failed', { method: path, err: error });
  const wire = toWire(publicError(error));
  const all = copyMetadata(trailer);
  for (const [key, values] of wire.trailer) all.set(key, values as string[]);
  return { error: new ServerError(wire.status, wire.message), trailer: all };
}
