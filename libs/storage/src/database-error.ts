import { badRequest, ServiceError, timeout, unavailable } from '@talaria/errors';

/** SQLSTATEs of a server that cannot serve now. Source: postgresql.org/docs/15/errcodes-appendix.html */
const SERVER_AWAY = new Set([
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now: it starts, or recovers
  '53300', // too_many_connections
  '55006', // object_in_use: the template of a new database
]);
const CONNECTION_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN']);
/** What `pg` and `pg-pool` throw without a code. */
const CONNECTION_MESSAGES = /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Client has encountered a connection error|Client was closed|Connection ended|write after end|Cannot use a pool after)/i;

const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';
const QUERY_CANCELED = '57014';
const UNIQUE_VIOLATION = '23505';

interface DatabaseError extends Error {
  readonly code?: string;
  readonly constraint?: string;
}

function* causes(error: unknown): Generator<DatabaseError> {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 16; at = at.cause, depth++) {
    yield at;
    // Node tries every address of a host name, and reports all failures in one.
    if (at instanceof AggregateError) for (const one of at.errors) if (one instanceof Error) yield one;
  }
}

/** Whether the error, or one of its causes, has this SQLSTATE. */
export function hasSqlState(error: unknown, state: string): boolean {
  return [...causes(error)].some(({ code }) => code === state);
}

/** Whether a row with the same key is there already; by the unique constraint or index of that name, if one is given. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return [...causes(error)].some((one) => one.code === UNIQUE_VIOLATION && (constraint === undefined || one.constraint === constraint));
}

/** Whether the server cancelled the query that was asked. */
export const isQueryCanceled = (error: unknown): boolean => hasSqlState(error, QUERY_CANCELED);

/** U+0000: character_not_in_repertoire in text, untranslatable_character in jsonb. */
const NOT_STORABLE = ['22021', '22P05'];

/** Whether two transactions got into each other's way; the same again may succeed. */
export const isContention = (error: unknown): boolean => hasSqlState(error, SERIALIZATION_FAILURE) || hasSqlState(error, DEADLOCK_DETECTED);

/** Whether the connection broke, or none could be made: a server that restarts, recovers or is not there yet. */
export function isTransient(error: unknown): boolean {
  return [...causes(error)].some(({ code = '', message }) => SERVER_AWAY.has(code) || code.startsWith('08') || CONNECTION_CODES.has(code) || CONNECTION_MESSAGES.test(message));
}

/** The error for callers. What only the query's author can judge (a constraint, a syntax error) stays as `pg` threw it. */
export function toCallerError(error: unknown): unknown {
  if (error instanceof ServiceError) return error;
  if (isTransient(error)) return unavailable('database', 'The database cannot be reached now.', { cause: error });
  if (isContention(error)) return unavailable('database_contention', 'The database was changed by others at the same time.', { cause: error });
  if (NOT_STORABLE.some((state) => hasSqlState(error, state))) return badRequest('invalid_param', 'A text holds a character that cannot be stored (U+0000).', { cause: error });
  if (isQueryCanceled(error)) return timeout('database', 'The query took longer than the database allows.', { cause: error });
  return error;
}
