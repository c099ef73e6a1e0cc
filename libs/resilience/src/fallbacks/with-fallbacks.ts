import type { Clock } from '@talaria/base';
import { currentCall } from '@talaria/context';
import { ServiceError } from '@talaria/errors';
import { contractMethods, Metadata, type CallLimits, type CallOptions, type Client, type CompatServiceDefinition, type ContractMethod } from '@talaria/rpc';
import type { AnswerFallback, Fallback, FallbackKind, Fallbacks } from './fallback.ts';
import { staleAnswersOf } from './stale-answers.ts';

/** The key, in the trailer of a response, that says which fallbacks were used for it: `account.v1.AccountService/GetAccount;kind=stale`. */
export const FALLBACK_KEY = 'x-talaria-fallback';

/** What a client with fallbacks needs besides. */
export interface WithFallbacksOptions {
  /** Told of each use: what to mark responses with, and the code of the error. */
  readonly onUsed?: (use: { readonly method: string; readonly kind: FallbackKind; readonly mark: string; readonly code: string }) => void;
  /** For the age of answers. Default: the time of this machine. */
  readonly clock?: Clock | undefined;
}

type Method = (request: unknown, options?: CallOptions & CallLimits) => Promise<unknown>;

/** How one method answers when its calls fail. */
interface Source {
  /** Before a call; the answer goes to the others. */
  keyOf(request: unknown): string | undefined;
  succeeded(key: string | undefined, response: unknown): void;
  /** It failed, but not for want of an instance. */
  refused(key: string | undefined, error: unknown): void;
  /** Undefined: there is none. */
  answer(key: string | undefined, request: unknown, error: ServiceError): unknown;
}

/** Whether the dependency is gone: not reached, not in time, kept away from by a breaker, or overloaded. */
function isGone(error: unknown): error is ServiceError {
  if (!(error instanceof ServiceError)) return false;
  const [kind] = error.code.split('.', 1);
  // What is too large, say, stays too large, and no fault of the dependency.
  return kind === 'unavailable' || kind === 'timeout' || (kind === 'rate_limited' && error.retryable);
}

/** Whether there is nothing to keep any more. */
const isFinal = (error: unknown): boolean => error instanceof ServiceError && /^(?:not_found|forbidden|unauthorized)(?:\.|$)/.test(error.code);

function sourceOf(method: ContractMethod, fallback: Fallback<unknown, unknown>, clock: Clock | undefined): Source {
  if (fallback.kind === 'stale') {
    const answers = staleAnswersOf(method, fallback, clock);
    return {
      keyOf: answers.keyOf,
      succeeded: (key, response) => void (key !== undefined && answers.keep(key, response)),
      refused: (key, error) => void (key !== undefined && isFinal(error) && answers.forget(key)),
      answer: (key) => (key === undefined ? undefined : answers.find(key)),
    };
  }
  const { answer } = fallback as AnswerFallback<unknown, unknown>;
  const { definition } = method;
  return {
    keyOf: () => undefined,
    succeeded: () => {},
    refused: () => {},
    // Through the codec: what is left out gets its default, as in an answer from afar.
    answer: async (_key, request, error) => definition.responseDeserialize(definition.responseSerialize(await answer(request, error))) as unknown,
  };
}

function around(method: ContractMethod, call: Method, fallback: Fallback<unknown, unknown>, { onUsed, clock }: WithFallbacksOptions): Method {
  const source = sourceOf(method, fallback, clock);
  const name = method.path.slice(1);
  const { kind } = fallback;
  const mark = `${name};kind=${kind}`;

  return async (request, options) => {
    const key = source.keyOf(request);
    const onTrailer = options?.onTrailer;
    // Shown once, and with the mark if there is one.
    let trailer: Metadata | undefined;
    const show = (): void => void (trailer && onTrailer?.(trailer));
    let response: unknown;
    try {
      response = await call(request, onTrailer ? { ...options, onTrailer: (given: Metadata) => (trailer = given) } : options);
    } catch (error) {
      // Who gave the call up waits for no answer.
      const unwanted = options?.signal?.aborted || currentCall().signal?.aborted;
      if (!unwanted && isGone(error)) {
        const found = await source.answer(key, request, error);
        if (found !== undefined) {
          onUsed?.({ method: name, kind, mark, code: error.code });
          onTrailer?.(Metadata({ [FALLBACK_KEY]: mark }));
          return found;
        }
      } else source.refused(key, error);
      show();
      throw error;
    }
    source.succeeded(key, response);
    show();
    return response;
  };
}

/**
 * A client that answers by its fallbacks where a dependency is gone: not reached, late, kept away from, or overloaded; never for
 * what it says (`not_found` and its like), and not when the caller gave up. Methods without a fallback are those of `client` itself.
 * Throws one sentence for a fallback of a method that is not there, or that streams.
 */
export function withFallbacks<D extends CompatServiceDefinition>(definition: D, client: Client<D, CallLimits>, fallbacks: Fallbacks<D>, options: WithFallbacksOptions = {}): Client<D, CallLimits> {
  const methods = contractMethods(definition);
  const unary = methods.filter(({ requestStream, responseStream }) => !requestStream && !responseStream);
  const own: Record<string, unknown> = {};
  for (const [key, fallback] of Object.entries(fallbacks) as [string, Fallback<unknown, unknown> | undefined][]) {
    if (!fallback) continue;
    const method = unary.find((each) => each.key === key);
    if (!method) {
      const why = methods.some((each) => each.key === key) ? `${key} streams, and only methods with one request and one response have fallbacks` : `There is no method ${key} in ${methods[0]?.contract}`;
      throw new TypeError(`${why}: name some of ${unary.map((each) => each.key).join(', ')}.`);
    }
    own[key] = around(method, (client as Record<string, Method>)[key] as Method, fallback, options);
  }
  return { ...client, ...own } as Client<D, CallLimits>;
}
