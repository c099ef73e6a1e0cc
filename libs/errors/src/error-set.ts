import { kindNameOf, type KindName } from './catalogue.ts';
import { ServiceError } from './service-error.ts';

/** One error of an {@link ErrorSet}, and which of the things that were done together it belongs to. */
export interface KeyedError<Key extends PropertyKey = PropertyKey> {
  /** The name or the index of the task. */
  readonly key: Key;
  /** What it threw. */
  readonly error: unknown;
}

/** More would make a message that nobody reads. */
const LISTED = 10;

/**
 * Which kind stands for several that differ, the most severe first: what is our fault, then what may be different later, then
 * what the caller has to change. `cancelled` comes last, since it is mostly the consequence of another failure.
 */
export const KIND_SEVERITY: readonly KindName[] = [
  'internal_service',
  'unknown',
  'unimplemented',
  'unavailable',
  'timeout',
  'rate_limited',
  'unauthorized',
  'forbidden',
  'precondition_failed',
  'conflict',
  'not_found',
  'bad_request',
  'cancelled',
];

function textOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}

function listing(errors: readonly KeyedError[]): string {
  if (errors.length === 0) return 'There was nothing to do.';
  const listed = errors.slice(0, LISTED).map(({ key, error }) => `${String(key)}: ${textOf(error)}`);
  const more = errors.length - listed.length;
  return [...listed, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

/**
 * The errors of things that were done together, each with the key of its task. After mercury's `ErrorSet`. Its message lists
 * them, for logs; callers in other processes get {@link ErrorSet.combined}. A set is never retried as a whole by itself.
 */
export class ErrorSet<Key extends PropertyKey = PropertyKey> extends AggregateError {
  override readonly name = 'ErrorSet';
  /** In the order of the tasks. `errors` has the same without their keys. */
  declare readonly entries: readonly KeyedError<Key>[];

  /** `message` defaults to a listing of up to ten errors. */
  constructor(entries: Iterable<KeyedError<Key>>, message?: string) {
    const all = [...entries];
    super(all.map(({ error }) => error), message ?? listing(all));
    // As `errors` is: so that what prints errors does not print each of them twice.
    Object.defineProperty(this, 'entries', { value: all });
  }

  /** How many there are. */
  get size(): number {
    return this.entries.length;
  }

  /** What the task of this key threw; undefined if it did not. */
  of(key: Key): unknown {
    return this.entries.find((entry) => entry.key === key)?.error;
  }

  /**
   * The one error that callers see instead. A single error is itself. Several: their code if all have the same, else the
   * first segment if all have that, else the code (or first segment) of the most severe ({@link KIND_SEVERITY}); the message of the
   * first of those, "and N more errors"; retryable only if all are. What code did not throw on purpose counts as
   * `internal_service`, and its message is withheld.
   */
  get combined(): ServiceError {
    return combine(this);
  }
}

function combine(set: ErrorSet): ServiceError {
  const all = set.entries.map(({ error }) => publicError(error));
  const [single] = all;
  if (!single) return new ServiceError('internal_service', 'internal error', { cause: set });
  if (all.length === 1) return single;
  const kinds = new Map(all.map((error) => [error, kindNameOf(error.code)]));
  const worst = KIND_SEVERITY.find((kind) => [...kinds.values()].includes(kind)) ?? 'unknown';
  const deciding = all.filter((error) => kinds.get(error) === worst);
  const first = deciding[0] ?? single;
  const code = deciding.every((error) => error.code === first.code) ? first.code : worst;
  const others = all.length - 1;
  const delays = all.map(({ retryAfterMs }) => retryAfterMs).filter((ms) => ms !== undefined);
  return new ServiceError(code, `${first.message} (and ${others} more ${others === 1 ? 'error' : 'errors'})`, {
    params: deciding.every((error) => error.code === first.code && sameParams(error, first)) ? first.params : {},
    retryable: all.every(({ retryable }) => retryable),
    hops: Math.max(...all.map(({ hops }) => hops)),
    violations: deciding.flatMap(({ violations }) => violations),
    cause: set,
    ...(delays.length > 0 ? { retryAfterMs: Math.max(...delays) } : {}),
  });
}

function sameParams(one: ServiceError, other: ServiceError): boolean {
  const entries = Object.entries(one.params);
  return entries.length === Object.keys(other.params).length && entries.every(([name, value]) => other.params[name] === value);
}

/**
 * Whether an error is a fault of the code: neither thrown on purpose (`ServiceError`) nor an abort (`AbortError`,
 * `TimeoutError`). A set is one if any of its errors is. What it says stays in the process.
 */
export function isUnforeseen(error: unknown): boolean {
  if (error instanceof ErrorSet) return error.size === 0 || error.entries.some((entry) => isUnforeseen(entry.error));
  if (error instanceof ServiceError) return false;
  return !(error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError'));
}

/**
 * The error that peers are told of instead of `error`: a ServiceError is itself, a set its {@link ErrorSet.combined}, an
 * `AbortError` is `cancelled.call`, a `TimeoutError` `timeout.deadline`, and everything else `internal_service` with nothing of
 * what it says. `error` is its cause, which never leaves the process.
 */
export function publicError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof ErrorSet) return error.combined;
  const name = error instanceof Error ? error.name : '';
  if (name === 'AbortError') return new ServiceError('cancelled.call', 'The call was cancelled', { cause: error });
  if (name === 'TimeoutError') return new ServiceError('timeout.deadline', 'The deadline of the call has passed', { cause: error });
  return new ServiceError('internal_service', 'internal error', { cause: error });
}
