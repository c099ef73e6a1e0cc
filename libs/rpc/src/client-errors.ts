import { cancelled, fromWire, internal, ServiceError, timeout, unavailable } from '@talaria/errors';
import { ClientError, Status } from 'nice-grpc-common';
import type { ContractMethod } from './contract.ts';
import { isEmptyMetadata } from './copy-metadata.ts';
import { TransportError } from './transport-error.ts';

const DETAILS_KEY = 'grpc-status-details-bin';

/** A failure that no peer has described: what this side knows of it. */
function localError(error: TransportError, contract: string): ServiceError | undefined {
  if (!isEmptyMetadata(error.trailer) && error.trailer.has(DETAILS_KEY)) return undefined;
  const options = { cause: error, params: { contract }, attempts: error.attempts };
  switch (error.code) {
    case Status.DEADLINE_EXCEEDED:
      return timeout('deadline', `${contract} did not answer in time`, options);
    case Status.CANCELLED:
      return cancelled('caller', `The call of ${contract} was cancelled`, options);
    case Status.UNAVAILABLE:
      return error.outcome === 'maybe_executed'
        ? unavailable('connection_lost', `The connection to ${contract} was lost: ${error.details}`, options)
        : unavailable('not_sent', `No instance of ${contract} took the call: ${error.details}`, options);
    case Status.INTERNAL:
      return error.cause === undefined ? undefined : internal('malformed_response', error.details, options);
    default:
      return undefined;
  }
}

/** A response that this side could not read, for whatever reason. */
export function unreadable(path: string, cause: unknown): TransportError {
  return Object.assign(new TransportError(path, Status.INTERNAL, `The response of ${path} is not a valid message`, 'maybe_executed'), { cause });
}

/** What the caller of a method gets for whatever its call threw. */
export function toServiceError(error: unknown, method: ContractMethod): unknown {
  if (error instanceof ServiceError) return error;
  if (error instanceof TransportError) return localError(error, method.contract) ?? fromWire(error.code, error.details, error.trailer, error, error.attempts);
  // Middleware may throw nice-grpc's own error.
  if (error instanceof ClientError) return fromWire(error.code, error.details, undefined, error);
  const name = error instanceof Error ? error.name : '';
  if (name === 'AbortError') return cancelled('caller', `The call of ${method.contract} was cancelled`, { cause: error });
  if (name === 'TimeoutError') return timeout('deadline', `${method.contract} did not answer in time`, { cause: error });
  return error;
}

/** A message that this side could not write or read. */
export function codecError(what: 'request' | 'response', method: ContractMethod, cause: unknown): ServiceError {
  return internal(`malformed_${what}`, `The ${what} of ${method.path} is not a valid message`, { cause });
}
