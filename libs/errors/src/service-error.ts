import { kindOf, type Kind, type KindName } from './catalogue.ts';

/** One field of a request that is wrong. */
export interface FieldViolation {
  /** Its path, in proto names: `items[1].amount`. */
  readonly field: string;
  /** Why, for the reader of the answer. */
  readonly description: string;
}

/** What an error may say besides its code and message. */
export interface ServiceErrorOptions {
  /** Facts for programs; they travel. Never secrets. The names `code`, `retryable`, `hops` and `attempts` are taken. */
  readonly params?: Readonly<Record<string, string>>;
  /** Whether a repeat may succeed. Default: as the first segment of the code says. */
  readonly retryable?: boolean;
  /** How long a repeat should wait at least, in ms. */
  readonly retryAfterMs?: number | undefined;
  /** Which fields are wrong. */
  readonly violations?: readonly FieldViolation[];
  /** How many hops the error has travelled. */
  readonly hops?: number;
  /** How many attempts were made of the call that failed. Counts if it is more than a cause of the error says. Default 0. */
  readonly attempts?: number;
  /** Stays in this process. */
  readonly cause?: unknown;
}

/** The attempts that an error and its causes tell of. */
function attemptsOf(error: unknown): number {
  for (let at = error, depth = 0; at instanceof Error && depth < 32; at = at.cause, depth++) {
    // It has counted those of its causes.
    if (at instanceof ServiceError) return at.attempts;
    if (at instanceof AggregateError) return Math.max(0, ...at.errors.map(attemptsOf));
  }
  return 0;
}

/** The one error type: a dotted code, whose first segment decides the status on every wire. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  /** Such as `not_found.account`. */
  readonly code: string;
  readonly params: Readonly<Record<string, string>>;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly violations: readonly FieldViolation[];
  readonly hops: number;
  /**
   * How many attempts were made of the call that failed, here or on any hop below: the greatest of the error and its causes; 0
   * where none was. What was tried more than once below is not tried again above.
   */
  readonly attempts: number;

  constructor(code: string, message: string, options: ServiceErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.params = options.params ?? {};
    this.retryable = options.retryable ?? kindOf(code).retryable;
    this.retryAfterMs = options.retryAfterMs;
    this.violations = options.violations ?? [];
    this.hops = options.hops ?? 0;
    this.attempts = Math.max(options.attempts ?? 0, attemptsOf(options.cause));
  }

  /** The statuses of its code. */
  get kind(): Kind {
    return kindOf(this.code);
  }
}

const maker =
  (kind: KindName) =>
  (what: string, message: string, options?: ServiceErrorOptions): ServiceError =>
    new ServiceError(what === '' ? kind : `${kind}.${what}`, message, options);

/** 400: the request is wrong. */
export const badRequest = maker('bad_request');
/** 401: who calls is not known. */
export const unauthorized = maker('unauthorized');
/** 403: who calls is known, and may not. */
export const forbidden = maker('forbidden');
/** 404: there is no such thing, or none that the principal may see. */
export const notFound = maker('not_found');
/** 409: it is there already, or changed meanwhile. */
export const conflict = maker('conflict');
/** 412: the state does not allow it. */
export const preconditionFailed = maker('precondition_failed');
/** 429: too many; set `retryAfterMs`. */
export const rateLimited = maker('rate_limited');
/** 499: the caller hung up. */
export const cancelled = maker('cancelled');
/** 500: our fault. */
export const internal = maker('internal_service');
/** 501: there is no such method. */
export const unimplemented = maker('unimplemented');
/** 503: not now. */
export const unavailable = maker('unavailable');
/** 504: not in time. */
export const timeout = maker('timeout');

/** Whether the error, or one of its causes, has the code `prefix` or one below it: `not_found` matches `not_found.account`. */
export function hasCode(error: unknown, prefix: string): boolean {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 32; at = at.cause, depth++) {
    if (at instanceof ServiceError && (at.code === prefix || at.code.startsWith(`${prefix}.`))) return true;
  }
  return false;
}

/** The same error with `context` before its message; code, params and retryability stay. */
export function augment(error: ServiceError, context: string): ServiceError {
  const { code, params, retryable, retryAfterMs, violations, hops } = error;
  return new ServiceError(code, `${context}: ${error.message}`, { params, retryable, violations, hops, cause: error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
}
