import type { ServiceError } from '@talaria/errors';
import type { Client, CompatServiceDefinition, ServiceImplementation } from '@talaria/rpc';

/** What is answered: the last good answer, a value of the caller's own, or what the caller finds out in another way. */
export type FallbackKind = 'stale' | 'default' | 'degraded';

/** How last good answers are kept. */
export interface StaleOptions<Request> {
  /** How old an answer may be, in ms. */
  readonly maxAgeMs: number;
  /** How many are kept; those not used for longest go first. Default 1,000. */
  readonly max?: number;
  /** How many bytes they may take together, encoded. Default 16 MiB. */
  readonly maxBytes?: number;
  /** What makes two requests the same. Default: that their encoded bytes are. */
  readonly key?: ((request: Request) => string) | undefined;
  /** Whether all principals get each other's answers: only for what looks alike to everybody. Default false. */
  readonly shared?: boolean;
}

/** The last good answer. */
export interface StaleFallback<Request> extends StaleOptions<Request> {
  readonly kind: 'stale';
}

/** An answer that the caller makes, in whatever time that takes. */
export interface AnswerFallback<Request, Response> {
  readonly kind: 'default' | 'degraded';
  readonly answer: (request: Request, error: ServiceError) => Response | Promise<Response>;
}

/** What to answer when a dependency is gone. */
export type Fallback<Request, Response> = StaleFallback<Request> | AnswerFallback<Request, Response>;

/** Answers with the last good answer to the same request of the same principal, if it is not too old. */
export function staleAnswers<Request>(options: StaleOptions<Request>): StaleFallback<Request> {
  if (!(options.maxAgeMs > 0)) throw new RangeError(`A stale answer of at most ${options.maxAgeMs} ms is never used: give a time above 0.`);
  if (options.max !== undefined && !(options.max >= 1)) throw new RangeError(`A cache of ${options.max} answers holds none: give 1 or more.`);
  return { kind: 'stale', ...options };
}

/** Answers with a value that needs no other service. */
export function answer<Request, Response>(make: (request: Request, error: ServiceError) => Response): AnswerFallback<Request, Response> {
  return { kind: 'default', answer: make };
}

/** Answers with what can be found out in another way: from another contract, or from less. What it throws is what the call fails with. */
export function degraded<Request, Response>(make: (request: Request, error: ServiceError) => Promise<Response>): AnswerFallback<Request, Response> {
  return { kind: 'degraded', answer: make };
}

/** The request of a unary method of a client; never for one that streams. */
type UnaryRequest<Method> = Method extends (request: infer Request, ...rest: never[]) => Promise<unknown> ? (Request extends AsyncIterable<unknown> ? never : Request) : never;
/** What a handler may answer: fields can be missing. */
type Answer<Handler> = Handler extends (...args: never[]) => infer Answered ? Awaited<Answered> : never;

/** What to answer for which unary methods of a contract, by their keys in the client. Methods that stream have no fallbacks. */
export type Fallbacks<D extends CompatServiceDefinition> = {
  readonly [K in keyof Client<D> & keyof ServiceImplementation<D> as [UnaryRequest<Client<D>[K]>] extends [never] ? never : K]?: Fallback<UnaryRequest<Client<D>[K]>, Answer<ServiceImplementation<D>[K]>>;
};
