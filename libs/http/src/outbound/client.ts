import { context as otel, propagation, SpanKind, SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import { currentCall, detached, timeRemaining } from '@talaria/context';
import { cancelled, ServiceError, timeout, unavailable } from '@talaria/errors';
import { Agent, type Dispatcher } from 'undici';
import { checkUrl, parseHttpUrl } from './check-url.ts';
import { guardedConnector } from './connector.ts';
import { systemLookup, type Lookup } from './lookup.ts';

/** How an HTTP client is made. */
export interface HttpClientOptions {
  /** Whether loopback addresses may be reached, besides public ones. Default false. Private ones never are. */
  readonly allowLoopback?: boolean;
  /** For everything: resolving, connecting, sending, waiting, reading. Default 15,000. */
  readonly timeoutMs?: number;
  /** How much of an answer's body is read; the rest is dropped. Default 65,536. */
  readonly maxResponseBytes?: number;
  /** Default `talaria`. */
  readonly userAgent?: string;
  /** Whether `traceparent` is sent along; strangers have no use for it. Default false. */
  readonly propagateTrace?: boolean;
  /** Default: as the machine resolves names. */
  readonly lookup?: Lookup;
}

/** One request. */
export interface HttpRequest {
  readonly url: string;
  /** Default `POST` with a body, else `GET`. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Default: the client's. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** An answer, whatever its status. */
export interface HttpAnswer {
  readonly status: number;
  /** In lower case; several of one name are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** As much as the client reads. */
  readonly body: Uint8Array;
  /** Whether there was more. */
  readonly truncated: boolean;
}

/** Speaks HTTP with strangers: only with allowed addresses, never longer than allowed, and never following redirects. */
export interface HttpClient {
  /**
   * Resolves with any answer. Rejects with `bad_request.invalid_param` (the URL or its address is refused), `timeout.http`,
   * `cancelled.http` (the signal, or the ambient call's), `unavailable.http` (everything else). The ambient deadline counts.
   */
  request(request: HttpRequest): Promise<HttpAnswer>;
  /** For registrations: rejects with `bad_request.invalid_param` naming `field` (default `url`). */
  checkUrl(url: string, field?: string): Promise<void>;
  /** Ends what is in flight and frees the sockets. */
  close(): Promise<void>;
}

const tracer = trace.getTracer('@talaria/http');

async function readBounded(body: AsyncIterable<Uint8Array> & { destroy(): unknown }, limit: number): Promise<Pick<HttpAnswer, 'body' | 'truncated'>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > limit) break; // Leaving the loop destroys the stream, and so the connection.
  }
  return { body: Buffer.concat(chunks).subarray(0, limit), truncated: length > limit };
}

/** undici notices a signal only when there is a connection; resolving and connecting must not outlast it either. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function plainHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), Array.isArray(value) ? value.join(', ') : (value ?? '')]));
}

function startSpan(method: string, url: URL): Span {
  // No url.full: a webhook's path and query may be secrets of its receiver.
  return tracer.startSpan(method, {
    kind: SpanKind.CLIENT,
    attributes: {
      'http.request.method': method,
      'server.address': url.hostname,
      'server.port': Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
      'url.scheme': url.protocol.slice(0, -1),
    },
  });
}

/** Makes a client with connection pools of its own. */
export function httpClient(options: HttpClientOptions = {}): HttpClient {
  const { timeoutMs = 15_000, maxResponseBytes = 65_536, userAgent = 'talaria', propagateTrace = false, lookup = systemLookup } = options;
  const policy = { allowLoopback: options.allowLoopback ?? false, lookup };
  // undici's own limits are off: one timeout of ours covers everything.
  const agent = detached(() => new Agent({ connect: guardedConnector(policy), headersTimeout: 0, bodyTimeout: 0, pipelining: 1, allowH2: false }));

  const send = async (url: URL, request: HttpRequest, method: string, signal: AbortSignal): Promise<HttpAnswer> => {
    const headers: Record<string, string> = { 'user-agent': userAgent, ...request.headers };
    if (propagateTrace) propagation.inject(propagation.deleteBaggage(otel.active()), headers);
    const { body = null } = request;
    // Detached: a socket outlives the call that opens it, and must not deliver other calls' data in this one's context.
    const answered = detached(() => agent.request({ origin: url.origin, path: `${url.pathname}${url.search}`, method: method as Dispatcher.HttpMethod, headers, body, signal }));
    const answer = await unlessAborted(answered, signal);
    return { status: answer.statusCode, headers: plainHeaders(answer.headers), ...(await readBounded(answer.body, maxResponseBytes)) };
  };

  return {
    async request(request) {
      const url = parseHttpUrl(request.url);
      const method = request.method ?? (request.body === undefined ? 'GET' : 'POST');
      const limit = Math.min(request.timeoutMs ?? timeoutMs, timeRemaining() ?? Infinity);
      const late = AbortSignal.timeout(Math.ceil(limit));
      const hangUps = [currentCall().signal, request.signal].filter((signal) => signal !== undefined);
      const span = startSpan(method, url);
      try {
        const answer = await otel.with(trace.setSpan(otel.active(), span), () => send(url, request, method, AbortSignal.any([late, ...hangUps])));
        span.setAttribute('http.response.status_code', answer.status);
        if (answer.status >= 400) span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', String(answer.status));
        return answer;
      } catch (cause) {
        const error = explain(cause, url, { hungUp: hangUps.some((signal) => signal.aborted), late: late.aborted, limit });
        span.setStatus({ code: SpanStatusCode.ERROR, message: error.message }).setAttribute('error.type', error.code);
        throw error;
      } finally {
        span.end();
      }
    },
    checkUrl: (url, field) => checkUrl(url, { ...policy, field }),
    close: () => agent.destroy(),
  };
}

function explain(cause: unknown, url: URL, state: { readonly hungUp: boolean; readonly late: boolean; readonly limit: number }): ServiceError {
  if (cause instanceof ServiceError) return cause;
  if (state.late) return timeout('http', `${url.host} did not answer within ${String(Math.round(state.limit))} ms.`, { cause });
  if (state.hungUp) return cancelled('http', `The request to ${url.host} was called off.`, { cause });
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return unavailable('http', `${url.host} could not be reached${code === '' ? '' : ` (${code})`}.`, { cause });
}
