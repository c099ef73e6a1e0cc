import { inspect } from 'node:util';
import { context as otel, propagation, trace, type Context } from '@opentelemetry/api';
import { callIn, withCall } from '@talaria/context';
import { internal, isUnforeseen } from '@talaria/errors';
import {
  contractMethod,
  contractMethods,
  contractName,
  createConnector,
  createServer,
  inprocTransport,
  Metadata,
  nextIn,
  ServerError,
  staticResolver,
  type CallContext,
  type CallLimits,
  type Client,
  type ClientMiddleware,
  type CompatServiceDefinition,
  type ContractMethod,
  type ServerMiddleware,
  type ServiceImplementation,
} from '@talaria/rpc';

type RequestOf<Handler> = Handler extends (request: infer Request, ...rest: never[]) => unknown ? (Request extends AsyncIterable<infer Message> ? readonly Message[] : Request) : never;

/** One call that a fake got; `request` is what its handler saw, or those that were taken of a stream so far. */
export type FakeCall<D extends CompatServiceDefinition> = {
  [Key in keyof ServiceImplementation<D>]: { readonly method: Key; readonly request: RequestOf<ServiceImplementation<D>[Key]> };
}[keyof ServiceImplementation<D>];

/** A client of a contract that nobody serves. */
export type Fake<D extends CompatServiceDefinition> = Client<D, CallLimits> & {
  /** The calls that were made, those that were not expected included, in order. */
  readonly calls: readonly FakeCall<D>[];
};

const ADDRESS = 'inproc://fake';
/** Tells the server's side of a fake which call of the client's side it answers. */
const CALL_KEY = 'x-fake-call';

/** What an error of a fake's own handler says; a real service would withhold it. */
function told(error: unknown, method: ContractMethod): unknown {
  if (error instanceof ServerError || !isUnforeseen(error)) return error;
  return internal('', `internal error (the fake of ${method.path.slice(1)} threw: ${error instanceof Error ? error.message : inspect(error)})`, { cause: error });
}

type Function = (request: unknown, context: CallContext) => unknown;

function telling(handler: Function, method: ContractMethod): Function {
  if (!method.responseStream) {
    return async (request, context) => {
      try {
        return await handler(request, context);
      } catch (error) {
        throw told(error, method);
      }
    };
  }
  return async function* (request, context) {
    try {
      yield* handler(request, context) as AsyncIterable<unknown>;
    } catch (error) {
      throw told(error, method);
    }
  };
}

/** What goes along with a call over the wire, and no more: principal, request id, trace and baggage. */
function arriving(at: Context, from: Context): Context {
  const { principal, passport, requestId } = callIn(from);
  const baggage = propagation.getBaggage(from);
  const span = trace.getSpanContext(from);
  let context = withCall(at, { principal, passport, requestId });
  if (baggage) context = propagation.setBaggage(context, baggage);
  return span ? trace.setSpanContext(context, span) : context;
}

/**
 * A typed client of a contract that your handlers answer, as few of them as the test needs: for what takes a client. Messages,
 * errors, streams, deadlines and cancellation are those of a real client (it calls within the process); principal and baggage are
 * those of the caller, whose own context values stay with it. A call of a method without a handler rejects with a sentence that names
 * the method and the request. It needs no stop.
 */
export function fake<D extends CompatServiceDefinition>(definition: D, handlers: Partial<ServiceImplementation<D>> = {}): Fake<D> {
  const given = handlers as Readonly<Record<string, Function | undefined>>;
  const calls: { readonly method: string; readonly request: unknown }[] = [];
  const callers = new Map<string, Context>();
  let count = 0;

  /** As the handler sees it: what a message becomes on its way. */
  const arrived = ({ definition: { requestSerialize, requestDeserialize } }: ContractMethod, request: unknown): unknown => requestDeserialize(requestSerialize(request)) as unknown;
  const note = (method: ContractMethod, request: unknown): unknown => {
    if (!method.requestStream) {
      calls.push({ method: method.key, request: arrived(method, request) });
      return request;
    }
    const taken: unknown[] = [];
    calls.push({ method: method.key, request: taken });
    return (async function* () {
      for await (const one of request as AsyncIterable<unknown>) {
        taken.push(arrived(method, one));
        yield one;
      }
    })();
  };

  const client: ClientMiddleware = async function* (call, options) {
    const method = contractMethod(call.method);
    const request = note(method, call.request) as typeof call.request;
    if (typeof given[method.key] !== 'function') {
      const what = method.requestStream ? 'a stream of requests' : inspect(calls.at(-1)?.request, { depth: 6, breakLength: Infinity });
      throw new Error(`${method.path.slice(1)} was called with ${what}, which this fake does not expect: give it a handler ${method.key}.`);
    }
    await listening;
    const id = String(++count);
    callers.set(id, otel.active());
    try {
      return yield* call.next(request, { ...options, metadata: Metadata(options.metadata).set(CALL_KEY, id) });
    } finally {
      callers.delete(id);
    }
  };
  const server: ServerMiddleware = async function* (call, context) {
    const from = callers.get(context.metadata.get(CALL_KEY) ?? '');
    context.metadata.delete(CALL_KEY);
    return yield* nextIn(from ? arriving(otel.active(), from) : otel.active(), call, call.request, context);
  };

  const methods = contractMethods(definition);
  const unexpected: Function = () => Promise.reject(new Error('not expected'));
  const transports = [inprocTransport()];
  const serving = createServer({ transports, middleware: [server] });
  const all = methods.map((method) => [method.key, telling(given[method.key]?.bind(handlers) ?? unexpected, method)]);
  serving.add(definition, { ...handlers, ...Object.fromEntries(all) } as ServiceImplementation<D>);
  const listening = serving.listen(ADDRESS);
  const resolver = staticResolver({ [contractName(definition)]: [ADDRESS] });
  const connector = createConnector({ resolver, transports, picker: () => ({ pick: ([first]) => first as NonNullable<typeof first> }), middleware: [client] });
  return Object.defineProperty(connector.client(definition), 'calls', { value: calls }) as Fake<D>;
}
