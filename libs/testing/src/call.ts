import { context as otel, propagation, type Context } from '@opentelemetry/api';
import { newId, systemClock, type CancelTimer, type Clock } from '@talaria/base';
import { detached, iterateIn, withCall, type Caller } from '@talaria/context';
import { Metadata, type CallContext } from '@talaria/rpc';
import { principalOf, type PrincipalLike } from './principal-like.ts';

/** Of whom a call is, and how it is made. */
export interface HandlerCallOptions {
  /** On whose behalf: an id, or a principal in part (`clientId` is `test` and there are no scopes, unless it says so). Default: nobody's. */
  readonly principal?: PrincipalLike | undefined;
  /** Which service calls: its name, or a caller. Default: none. */
  readonly caller?: string | Caller | undefined;
  /** What its deadline is measured by, and `currentClock()`. Default: the time of this machine. */
  readonly clock?: Clock | undefined;
  /** How long it may take, in ms. Default: it has no deadline. */
  readonly timeoutMs?: number | undefined;
  /** Hangs up. */
  readonly signal?: AbortSignal | undefined;
  /** What came as headers. */
  readonly metadata?: ConstructorParameters<typeof Metadata>[0] | undefined;
  /** What came as baggage, by name. */
  readonly baggage?: Readonly<Record<string, string>> | undefined;
  /** Names the request. Default: a new id. */
  readonly requestId?: string | undefined;
  /** Gets the headers of the answer, when it is over at the latest. */
  readonly onHeader?: ((header: Metadata) => void) | undefined;
  /** Gets the trailers of the answer, when it is over. */
  readonly onTrailer?: ((trailer: Metadata) => void) | undefined;
}

/** A function of an implementation, of any of the four kinds. */
export type AnyHandler = (request: never, context: CallContext) => unknown;

/** A type of messages, as ts-proto makes them. */
export interface MessageType<Partial, Message> {
  /** The message, with the defaults of proto3 for what is missing. */
  fromPartial(partial: Partial): Message;
}

/** A method of a definition that ts-proto made: `AccountServiceDefinition.methods.getAccount`. */
export interface TypedMethod<RequestPartial, Request, ResponsePartial, Response> {
  readonly requestType: MessageType<RequestPartial, Request>;
  readonly requestStream: boolean;
  readonly responseType: MessageType<ResponsePartial, Response>;
  readonly responseStream: boolean;
}

type Sent<Message> = Iterable<Message> | AsyncIterable<Message>;
/** A handler that does not look at its request takes any. */
type Taken<Handler extends AnyHandler> = Parameters<Handler> extends [] ? unknown : Parameters<Handler>[0];
type RequestOf<Handler extends AnyHandler> = Taken<Handler> extends AsyncIterable<infer Message> ? Sent<Message> : Taken<Handler>;
type Responses<Answer> = Answer extends { [Symbol.asyncIterator](): AsyncIterator<infer Message> } ? AsyncIterable<Message> : Promise<Awaited<Answer>>;
type MessageOf<Handler extends AnyHandler> = Taken<Handler> extends AsyncIterable<infer Message> ? Message : Taken<Handler>;
type RequestAs<Handler extends AnyHandler, Message> = Taken<Handler> extends AsyncIterable<unknown> ? Sent<Message> : Message;
type ResponsesAs<Handler extends AnyHandler, Message> = ReturnType<Handler> extends PromiseLike<unknown> ? Promise<Message> : AsyncIterable<Message>;

/**
 * Calls a handler as a server would, without one: in a call context of its own, whose signal aborts when time is up, when the
 * caller hangs up, and when the handler is done. What the handler throws comes out as it is (a server would make a `ServiceError` of
 * it), and when the signal aborts first, its reason does, whatever the handler still does.
 *
 * With `method` requests need only say what differs from the defaults of proto3, and responses have all fields, as over the
 * wire. Without it request and responses are passed on as they are. Neither authentication, rules nor validation take part: those
 * belong to the contract, and `createPlatform` has them.
 */
export function call<Handler extends AnyHandler, RequestPartial, ResponsePartial, Response>(
  handler: Handler,
  request: RequestAs<Handler, RequestPartial>,
  options: HandlerCallOptions & { readonly method: TypedMethod<RequestPartial, MessageOf<Handler>, ResponsePartial, Response> },
): ResponsesAs<Handler, Response>;
export function call<Handler extends AnyHandler>(handler: Handler, request: RequestOf<Handler>, options?: HandlerCallOptions): Responses<ReturnType<Handler>>;
export function call(handler: AnyHandler, request: unknown, options: HandlerCallOptions & { readonly method?: TypedMethod<unknown, unknown, unknown, unknown> } = {}): unknown {
  const { clock = systemClock, timeoutMs, signal: outer, method } = options;
  const deadline = timeoutMs === undefined ? undefined : clock.monotonic() + timeoutMs;
  const scope = new AbortController();
  const { signal } = scope;
  const onAbort = (): void => scope.abort(outer?.reason);
  if (outer?.aborted) onAbort();
  const late = (): void => scope.abort(new DOMException('The deadline of the call has passed', 'TimeoutError'));
  let cancelTimer: CancelTimer | undefined;
  /** When someone waits: a stream that nobody reads must leave nothing behind. */
  const begin = (): void => {
    outer?.addEventListener('abort', onAbort, { once: true });
    if (outer?.aborted) onAbort();
    const left = deadline === undefined ? Infinity : deadline - clock.monotonic();
    if (left <= 0) late();
    else if (left < Infinity) cancelTimer = detached(() => clock.after(left, late));
  };
  const aborted = new Promise<never>((_, reject) => {
    const fail = (): void => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
  aborted.catch(() => {}); // Whoever waits for an answer hears of it.

  const header = Metadata();
  const trailer = Metadata();
  let headerSent = false;
  const sendHeader = (): void => {
    if (!headerSent) options.onHeader?.(header);
    headerSent = true;
  };
  const end = (): void => {
    cancelTimer?.();
    outer?.removeEventListener('abort', onAbort);
    sendHeader();
    options.onTrailer?.(trailer);
    scope.abort(new DOMException('The call is over', 'AbortError'));
  };

  const context = contextOf(options, clock, deadline, signal);
  const callContext: CallContext = { metadata: Metadata(options.metadata), peer: 'test', header, trailer, sendHeader, signal };
  const filled = isIterable(request) ? filledStream(request, method) : (method?.requestType.fromPartial(request) ?? request);
  const respond = (response: unknown): unknown => method?.responseType.fromPartial(response) ?? response;
  let answer: unknown;
  try {
    answer = otel.with(context, () => handler(filled as never, callContext));
  } catch (error) {
    answer = Promise.reject(error as Error);
  }
  if (isAsyncIterable(answer)) return streamed(iterateIn(context, answer), aborted, respond, begin, end);
  begin();
  return Promise.race([answer, aborted]).then(respond).finally(end);
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function isIterable(value: unknown): value is Sent<unknown> {
  return isAsyncIterable(value) || (typeof value === 'object' && value !== null && Symbol.iterator in value);
}

/** The ambient call of the handler. Values of context keys, as middleware would set, are those around `call`. */
function contextOf(options: HandlerCallOptions, clock: Clock, deadline: number | undefined, signal: AbortSignal): Context {
  const { principal, caller, baggage, requestId = newId('req') } = options;
  const entries = Object.entries(baggage ?? {}).map(([name, value]) => [name, { value }] as const);
  const context = withCall(otel.active(), {
    principal: principal === undefined ? undefined : principalOf(principal),
    passport: undefined,
    caller: typeof caller === 'string' ? { service: caller, edge: false } : caller,
    deadline,
    clock,
    signal,
    requestId,
  });
  return propagation.setBaggage(context, propagation.createBaggage(Object.fromEntries(entries)));
}

async function* filledStream(requests: Sent<unknown>, method: TypedMethod<unknown, unknown, unknown, unknown> | undefined): AsyncGenerator<unknown, void, undefined> {
  for await (const request of requests) yield method ? method.requestType.fromPartial(request) : request;
}

async function* streamed(steps: AsyncGenerator<unknown, void, undefined>, aborted: Promise<never>, respond: (response: unknown) => unknown, begin: () => void, end: () => void): AsyncGenerator<unknown, void, undefined> {
  try {
    begin();
    for (;;) {
      const step = await Promise.race([steps.next(), aborted]);
      if (step.done) return;
      yield respond(step.value);
    }
  } finally {
    end();
    // Not awaited: `return()` of a generator hangs while a `next()` is pending.
    void steps.return().catch(() => {});
  }
}
