import { context as otel } from '@opentelemetry/api';
import type { Clock } from '@talaria/base';
import { contextKey } from '@talaria/context';
import type { Health } from '@talaria/health';
import { createFallbackUse, FALLBACK_KEY, staleAnswers, withFallbacks, type Fallback, type Fallbacks, type FallbackStats, type StaleFallback, type StaleOptions } from '@talaria/resilience';
import { contractMethods, nextIn, type CallLimits, type Client, type CompatServiceDefinition, type ServerMiddleware } from '@talaria/rpc';
import { intervalMs, type Interval } from './interval.ts';
import type { MiddlewareStack } from './middleware-stack.ts';

/** How last good answers are kept. */
export type StaleAnswerOptions<Request> = Omit<StaleOptions<Request>, 'maxAgeMs'> & {
  /** How old an answer may be: `'10m'`, or a number of ms. */
  readonly maxAge: Interval;
};

/**
 * A fallback of a client's method: the last good answer to the same request of the same principal (`shared: true`: of anybody), if it is
 * not older than `maxAge`. Up to `max` answers (default 1,000) and `maxBytes` (default 16 MiB) are kept in memory, a method.
 */
export function stale<Request>({ maxAge, ...options }: StaleAnswerOptions<Request>): StaleFallback<Request> {
  return staleAnswers({ ...options, maxAgeMs: intervalMs(maxAge) });
}

/** The fallbacks of one service. */
export interface ServiceFallbacks {
  /** The client with its fallbacks; without any, the client itself. */
  around<D extends CompatServiceDefinition>(definition: D, client: Client<D, CallLimits>, fallbacks: Fallbacks<D> | undefined): Client<D, CallLimits>;
  /** How often each was used. */
  describe(): readonly FallbackStats[];
}

/** What was used for the call that runs. */
const USED = contextKey<Set<string>>('talaria.fallbacks');

/** Marks the responses for which a fallback was used, so that whoever called can tell. */
const fallbacks: ServerMiddleware = async function* fallbacks(call, context) {
  const used = new Set<string>();
  try {
    return yield* nextIn(
      USED.run(used, () => otel.active()),
      call,
      call.request,
      context,
    );
  } finally {
    if (used.size > 0) context.trailer.set(FALLBACK_KEY, [...used].join(', '));
  }
};

/** Makes them. What marks and counts comes with the first client that has a fallback: others pay nothing. */
export function serviceFallbacks({ health, stack, clock }: { readonly health: Health; readonly stack: MiddlewareStack; readonly clock: Clock | undefined }): ServiceFallbacks {
  const use = createFallbackUse({ clock });
  let installed = false;
  return {
    describe: use.describe,
    around(definition, client, given) {
      if (!given) return client;
      const wrapped = withFallbacks(definition, client, given, {
        clock,
        onUsed({ method, kind, mark, code }) {
          use.used(method, kind, code);
          USED.get()?.add(mark);
        },
      });
      for (const [key, each] of Object.entries(given) as [string, Fallback<unknown, unknown> | undefined][]) {
        const method = contractMethods(definition).find((one) => one.key === key);
        if (each && method) use.declare(method.path.slice(1), each.kind);
      }
      if (!installed) {
        installed = true;
        health.add(use.checker);
        stack.use(fallbacks, { before: stack.names()[0] });
      }
      return wrapped;
    },
  };
}
