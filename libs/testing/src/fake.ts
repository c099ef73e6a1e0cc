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
  /** Those of them that had no handler, in order: they were refused, but who made them may have hidden that. */
  readonly unexpected: readonly FakeCall<D>[];
};

/** How a fake is made. */
export interface FakeOptions {
  /** The context of the test, as `node:test` gives it (what has its `after` will do): the test fails at its end if there was an unexpected call, whatever became of the refusal. Default: none. */
  readonly test?: { after(hook: () => void): void } | undefined;
}

const ADDRESS = 'inproc://fake';
/** Tells the server's side of a fake which call of the client's side it answers. */
const CALL_KEY = 'x-fake-call';

/** What an error of a fake's own handler says; a real service would withhold it. */
function told(error: unknown, method: ContractMethod): unknown {
  if (error instanceof ServerError || !isUnforeseen(error)) return error;
  return internal('', `internal error (the fake of ${method.path.slice(1)} threw: ${error instanceof Error ? error.message : inspect(error)})`, { cause: error });
}

interface NotedCall {
  readonly method: string;
  readonly request: unknown;
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
 * the method and the request, and with `{ test }` fails the test even if that is caught. It needs no stop.
 */
export function fake<D extends CompatServiceDefinition>(definition: D, handlers: Partial<ServiceImplementation<D>> = {}, options: FakeOptions = {}): Fake<D> {
  const given = handlers as Readonly<Record<string, Function | undefined>>;
  const calls: NotedCall[] = [];
  const unexpected: NotedCall[] = [];
  const refusals: string[] = [];
  options.test?.after(() => {
    if (refusals.length > 0) throw new Error(refusals.join('\n'));
  });
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
  const refuse = (method: ContractMethod): never => {
    const call = calls.at(-1) as NotedCall;
    const what = method.requestStream ? 'a stream of requests' : inspect(call.request, { depth: 6, breakLength: Infinity });
    const refusal = `${method.path.slice(1)} was called with ${what}, which this fake does not expect: give it a handler ${method.key}.`;
    unexpected.push(call);
    refusals.push(refusal);
    throw new Error(refusal);
  };

  const client: ClientMiddleware = async function* (call, options) {
    const method = contractMethod(call.method);
    const request = note(method, call.request) as typeof call.request;
    if (typeof given[method.key] !== 'function') refuse(method);
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
  const noHandler: Function = () => Promise.reject(new Error('not expected'));
  const transports = [inprocTransport()];
  const serving = createServer({ transports, middleware: [server] });
  const all = methods.map((method) => [method.key, telling(given[method.key]?.bind(handlers) ?? noHandler, method)]);
  serving.add(definition, { ...handlers, ...Object.fromEntries(all) } as ServiceImplementation<D>);
  const listening = serving.listen(ADDRESS);
  const resolver = staticResolver({ [contractName(definition)]: [ADDRESS] });
  const connector = createConnector({ resolver, transports, picker: () => ({ pick: ([first]) => first as NonNullable<typeof first> }), middleware: [client] });
  return Object.defineProperties(connector.client(definition), { calls: { value: calls }, unexpected: { value: unexpected } }) as Fake<D>;
}
