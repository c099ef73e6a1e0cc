import type { CallContext, CallOptions, ClientMiddleware, ServerMiddleware } from 'nice-grpc-common';
import type { ContractMethod } from './contract.ts';

/** One step of a walk: a request (or a stream of them) in, responses out. A single response is returned, streamed ones are yielded. */
export type Step<Options> = (request: unknown, options: Options) => AsyncGenerator<unknown, unknown, undefined>;

type AnyMiddleware<Options> = (call: object, options: Options) => AsyncGenerator<unknown, unknown, undefined>;

function chain<Options>(method: ContractMethod, middleware: readonly AnyMiddleware<Options>[], last: Step<Options>): Step<Options> {
  const { requestStream, responseStream } = method;
  return middleware.reduceRight<Step<Options>>((next, current) => (request, options) => current({ method, requestStream, responseStream, request, next }, options), last);
}

/** Server middleware around a handler; the first is outermost. */
export function serverChain(method: ContractMethod, middleware: readonly ServerMiddleware[], last: Step<CallContext>): Step<CallContext> {
  return chain(method, middleware as unknown as readonly AnyMiddleware<CallContext>[], last);
}

/** Client middleware around a call; the first is outermost. */
export function clientChain<Options extends CallOptions>(method: ContractMethod, middleware: readonly ClientMiddleware[], last: Step<Options>): Step<Options> {
  return chain(method, middleware as unknown as readonly AnyMiddleware<Options>[], last);
}

/** Runs a step of a method with a single response. */
export async function singleResponse(method: ContractMethod, steps: AsyncGenerator<unknown, unknown, undefined>): Promise<unknown> {
  const step = await steps.next();
  if (!step.done) throw new Error(`A middleware of ${method.path} yielded a message; for a method with one response it has to return it`);
  if (step.value === undefined) throw new Error(`A middleware of ${method.path} returned nothing; it has to return the response of call.next()`);
  return step.value;
}
