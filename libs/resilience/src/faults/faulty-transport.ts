import type { Connection, Listener, ServedMethod, Transport } from '@talaria/rpc';
import { faultyStream, faultyUnary, type HitCall } from './faulty-calls.ts';
import { faultyHandler } from './faulty-handler.ts';
import type { Faults } from './faults.ts';
import { createHolds } from './holds.ts';

function faultyConnection(inner: Connection, faults: Faults): Connection {
  const holds = createHolds();
  const hitCall = (method: HitCall['method'], rule: HitCall['rule']): HitCall => ({ connection: inner, method, rule, holds, random: faults.random });
  return {
    address: inner.address,
    get state() {
      return inner.state;
    },
    get inFlight() {
      return inner.inFlight + holds.count;
    },
    get connections() {
      return inner.connections;
    },
    get capacity() {
      return inner.capacity;
    },
    connect: () => inner.connect(),
    onStateChange: (listener) => inner.onStateChange(listener),
    unary(method, request, options) {
      const rule = faults.client.length === 0 ? undefined : faults.clientHit(method.path, options.metadata, inner.address);
      return rule ? faultyUnary(hitCall(method, rule), request, options) : inner.unary(method, request, options);
    },
    stream(method, requests, options) {
      const rule = faults.client.length === 0 ? undefined : faults.clientHit(method.path, options.metadata, inner.address);
      return rule ? faultyStream(hitCall(method, rule), requests, options) : inner.stream(method, requests, options);
    },
    async close(options = {}) {
      await Promise.all([inner.close(options), holds.close(options.graceMs ?? 0)]);
    },
  };
}

/** What a transport asks of a method at each call, it still gets at each call. */
function faultyMethod(method: ServedMethod, faults: Faults): ServedMethod {
  return {
    ...method,
    handler: faultyHandler(method, faults),
    get deadlineMs() {
      return method.deadlineMs;
    },
    get admission() {
      return method.admission;
    },
  };
}

function faultyListener(inner: Listener, faults: Faults): Listener {
  return {
    address: inner.address,
    closed: inner.closed,
    add: (contract, methods) => inner.add(contract, methods.map((method) => faultyMethod(method, faults))),
    remove: (contract) => inner.remove(contract),
    drain: (limitMs) => inner.drain(limitMs),
  };
}

/**
 * A transport on which calls go wrong as the rules of `faults` say, and otherwise behave as on `transport` itself. What
 * picks, retries, breaks and hedges sits above, and sees a fault as if it came from the network or the instance.
 */
export function faultyTransport(transport: Transport, faults: Faults): Transport {
  return {
    schemes: transport.schemes,
    connect: (address, options) => faultyConnection(transport.connect(address, options), faults),
    listen: async (address, options) => faultyListener(await transport.listen(address, options), faults),
  };
}
