import { badRequest, ErrorSet, internal, ServiceError } from '@talaria/errors';

/** An error with what only HTTP can say: a status that no code stands for, and headers. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly error: ServiceError;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(error: ServiceError, status: number = error.kind.http, headers: Readonly<Record<string, string>> = {}) {
    super(error.message, { cause: error });
    this.error = error;
    this.status = status;
    this.headers = headers;
  }
}

/** 405: the path is known, the method is not. RFC 9110, section 15.5.6. */
export function methodNotAllowed(method: string, allow: readonly string[]): HttpError {
  return new HttpError(badRequest('method_not_allowed', `This path does not take ${method}.`), 405, { allow: allow.join(', ') });
}

/** 413: the body is too large. */
export function tooLarge(limit: number): HttpError {
  return new HttpError(badRequest('too_large', `The body has more than ${String(limit)} bytes.`, { params: { limit: String(limit) }, violations: [{ field: 'body', description: 'is too large' }] }), 413);
}

/** 415: a body of another type than those accepted. */
export function unsupportedMediaType(message: string): HttpError {
  return new HttpError(badRequest('unsupported_media_type', message), 415, { accept: 'application/json, application/x-www-form-urlencoded' });
}

/** How services say that they have too much to do; what says that a caller or a method is over its rate stays 429. */
const OVERLOADED: ReadonlySet<string> = new Set(['rate_limited.overload', 'rate_limited.deadline', 'rate_limited.concurrency']);

/** Whatever was thrown, as an answer. What is not an error of ours is our fault, and says nothing outside. */
export function toHttpError(thrown: unknown): HttpError {
  if (thrown instanceof HttpError) return thrown;
  const known = thrown instanceof ErrorSet ? thrown.combined : thrown;
  const error = known instanceof ServiceError ? known : internal('', 'Something went wrong on our side.', { cause: thrown });
  if (error.code === 'bad_request.unsupported_media_type') return unsupportedMediaType(error.message);
  // Its code is gRPC's RESOURCE_EXHAUSTED; HTTP has a status of its own for it (RFC 9110, section 15.5.14).
  if (error.code === 'rate_limited.message_too_large') return new HttpError(error, 413);
  const headers: Record<string, string> = {};
  // No client has called too often there: a service has too much to do.
  const status = OVERLOADED.has(error.code) ? 503 : error.kind.http;
  if (error.kind.http === 401) headers['www-authenticate'] = error.code === 'unauthorized.missing_token' ? 'Bearer realm="talaria"' : 'Bearer realm="talaria", error="invalid_token"';
  if (error.retryAfterMs !== undefined) headers['retry-after'] = String(Math.ceil(error.retryAfterMs / 1000));
  return new HttpError(error, status, headers);
}
