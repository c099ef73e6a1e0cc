import { context as otel, propagation } from '@opentelemetry/api';
import type { ServerMiddleware } from 'nice-grpc-common';
import { contractMethod } from './contract.ts';
import { nextIn } from './next-in.ts';
import { methodPriority, PRIORITY_BAGGAGE, type Priority } from './priority.ts';

/**
 * Puts the priority that the contract gives a method into the baggage of its calls, unless they came with one: so it flows on over all
 * hops below.
 */
export function priorityMiddleware(): ServerMiddleware {
  const known = new WeakMap<object, Priority | 'none'>();
  const priorityOf = (method: Parameters<typeof contractMethod>[0]): Priority | 'none' => {
    let priority = known.get(method);
    if (priority === undefined) {
      priority = methodPriority(contractMethod(method).options) ?? 'none';
      known.set(method, priority);
    }
    return priority;
  };
  // No generator where there is nothing to do: that is nearly always.
  return (call, context) => {
    const own = priorityOf(call.method);
    const active = otel.active();
    const baggage = propagation.getBaggage(active);
    if (own === 'none' || baggage?.getEntry(PRIORITY_BAGGAGE)) return call.next(call.request, context);
    const next = (baggage ?? propagation.createBaggage()).setEntry(PRIORITY_BAGGAGE, { value: own });
    return nextIn(propagation.setBaggage(active, next), call, call.request, context);
  };
}
