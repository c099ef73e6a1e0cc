import { context as otel } from '@opentelemetry/api';
import type { LiveSetting } from '@talaria/base';
import { Metadata, type ClientMiddleware } from 'nice-grpc-common';
import type { AttemptOptions } from './begun-call.ts';
import { limit, limitsOf, type DefaultLimits, type LimitedOptions } from './call-limits.ts';
import type { CallPolicy } from './call-policy.ts';
import { choiceOf } from './call-target.ts';
import { clientChain, singleResponse, type Step } from './chain.ts';
import { codecError, toServiceError, unreadable } from './client-errors.ts';
import type { CoarseTimers } from './coarse-timers.ts';
import type { ContractMethod } from './contract.ts';
import { deadlineOf, type CallDeadlines } from './live-deadlines.ts';
import type { Route } from './route.ts';
import { streamAttempts } from './stream-attempts.ts';
import type { WireCallOptions } from './transport.ts';
import { unaryAttempts } from './unary-attempts.ts';

/** What the calls of a client go through. */
export interface CallParts extends DefaultLimits {
  readonly route: () => Route;
  readonly policy: () => CallPolicy;
  readonly timers: CoarseTimers;
  readonly middleware: readonly ClientMiddleware[];
  readonly deadlines: LiveSetting<CallDeadlines> | undefined;
}

function encode(method: ContractMethod, request: unknown): Uint8Array {
  try {
    return method.definition.requestSerialize(request);
  } catch (cause) {
    throw codecError('request', method, cause);
  }
}

/** What cannot be read is a failure of the instance that has sent it: another one may do better. */
function decoder({ definition, path }: ContractMethod): (bytes: Uint8Array) => unknown {
  return (bytes) => {
    try {
      return definition.responseDeserialize(bytes) as unknown;
    } catch (cause) {
      throw unreadable(path, cause);
    }
  };
}

async function* encodeStream(method: ContractMethod, requests: AsyncIterable<unknown>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const one of requests) yield encode(method, one);
}

/** A single request can be sent as often as there are attempts, a stream of them once. */
function encodeAll(method: ContractMethod, request: unknown): AsyncIterable<Uint8Array> {
  if (method.requestStream) return encodeStream(method, request as AsyncIterable<unknown>);
  const bytes = encode(method, request);
  return {
    async *[Symbol.asyncIterator]() {
      yield bytes;
    },
  };
}

/** The innermost step: attempts over the wire. */
function wireStep(method: ContractMethod, parts: CallParts): Step<LimitedOptions> {
  const wire = (options: LimitedOptions): WireCallOptions => {
    const { deadline, clock, signal } = limitsOf(options, parts);
    return { metadata: options.metadata ?? Metadata(), deadline, clock, signal, onHeader: options.onHeader, onTrailer: options.onTrailer, onLeaving: options.onLeaving };
  };
  const how = (options: LimitedOptions): AttemptOptions => ({ policy: parts.policy(), timers: parts.timers, choice: choiceOf(options), onAttempt: options.onAttempt });
  const decode = decoder(method);
  if (method.responseStream) return (request, options) => streamAttempts(parts.route(), method, encodeAll(method, request), wire(options), how(options), decode);
  if (method.requestStream) {
    return async function* (request, options) {
      let response: { readonly message: unknown } | undefined;
      for await (const message of streamAttempts(parts.route(), method, encodeAll(method, request), wire(options), how(options), decode)) {
        if (response) throw codecError('response', method, new Error('more than one response'));
        response = { message };
      }
      if (!response) throw codecError('response', method, new Error('no response'));
      return response.message;
    };
  }
  return async function* (request, options) {
    return await unaryAttempts(parts.route(), method, encode(method, request), wire(options), how(options), decode);
  };
}

/** The function of a client for one method. */
export function clientMethod(method: ContractMethod, shared: CallParts): (request: unknown, options?: LimitedOptions) => unknown {
  const longest = deadlineOf(method, shared.deadlines);
  const parts: CallParts = {
    ...shared,
    get longestMs() {
      return longest();
    },
  };
  const steps = clientChain(method, parts.middleware, wireStep(method, parts));
  if (!method.responseStream) {
    return async (request, options = {}) => {
      try {
        return await singleResponse(method, steps(request, limit(options, parts)));
      } catch (error) {
        throw toServiceError(error, method);
      }
    };
  }
  return (request, options = {}) => ({
    [Symbol.asyncIterator]() {
      // Its steps run in the context of the call, whoever pulls them; giving up ends the call at once, by signal.
      const context = otel.active();
      const abandoned = new AbortController();
      let running: AsyncGenerator<unknown, unknown, undefined> | undefined;
      let over = false;
      return {
        async next() {
          if (over) return { done: true, value: undefined };
          try {
            running ??= otel.with(context, () => steps(request, limit(options, parts, abandoned.signal)));
            const current = running;
            const step = await otel.with(context, () => current.next());
            if (step.done) over = true;
            return step.done ? { done: true, value: undefined } : step;
          } catch (error) {
            over = true;
            throw toServiceError(error, method);
          }
        },
        return() {
          over = true;
          abandoned.abort();
          // Not awaited: `return()` of a generator hangs while a `next()` is pending.
          void running?.return(undefined).catch(() => {});
          return Promise.resolve({ done: true, value: undefined });
        },
      };
    },
  });
}
