import { context as otel, propagation, trace } from '@opentelemetry/api';
import { silentLogger, type Capability, type Logger } from '@talaria/base';
import { detached } from '@talaria/context';
import { badRequest, cancelled, ServiceError, timeout, unavailable } from '@talaria/errors';
import type { Dispatcher } from 'undici';
import { checkUrl, parseHttpUrl } from './check-url.ts';
import { requestLimits, type RequestLimits } from './limits.ts';
import { systemLookup, type Lookup } from './lookup.ts';
import { endWithError, endWithStatus, startSpan } from './span.ts';

/** How an HTTP client is made. */
export interface HttpClientOptions {
  /** Whether loopback addresses may be reached, besides public ones. Default false. */
  readonly allowLoopback?: boolean;
  /** Whether private networks may be (RFC 1918, RFC 4193); link-local addresses never are. Default false. */
  readonly allowPrivate?: boolean;
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
  /** Gets a line for each request: host, status and duration, never path or query. Default: that of the service that it is a capability of. */
  readonly log?: Logger;
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

/**
 * Speaks HTTP with strangers: only with allowed addresses, never longer than allowed, and never following redirects. As a
 * capability of a service (`createService({ …, capabilities: [http] })`) it logs as the service does and is closed with it.
 */
export interface HttpClient extends Capability {
  /**
   * Resolves with any answer. Rejects with `bad_request.invalid_param` (the URL or its address is refused), `timeout.http`,
   * `cancelled.http` (the signal, or the ambient call's), `unavailable.http` (everything else). The ambient deadline counts, on
   * the ambient clock; a request whose time is over is not sent.
   */
  request(request: HttpRequest): Promise<HttpAnswer>;
  /** For registrations: rejects with `bad_request.invalid_param` naming `field` (default `url`). */
  checkUrl(url: string, field?: string): Promise<void>;
  /** Ends what is in flight and frees the sockets. */
  close(): Promise<void>;
}

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

/** What is sent: names in lower case, so that what the caller says stands once. */
function headersOf({ headers = {} }: HttpRequest, userAgent: string, propagateTrace: boolean): Record<string, string> {
  const sent: Record<string, string> = { 'user-agent': userAgent };
  for (const [name, value] of Object.entries(headers)) sent[name.toLowerCase()] = value;
  // Baggage is the platform's own.
  if (propagateTrace) propagation.inject(propagation.deleteBaggage(otel.active()), sent);
  return sent;
}

/** Makes a client with connection pools of its own. */
export function httpClient(options: HttpClientOptions = {}): HttpClient {
  const { timeoutMs = 15_000, maxResponseBytes = 65_536, userAgent = 'talaria', propagateTrace = false, lookup = systemLookup } = options;
  const policy = { allowLoopback: options.allowLoopback ?? false, allowPrivate: options.allowPrivate ?? false, lookup };
  let log = options.log ?? silentLogger;
  let dispatcher: Promise<Dispatcher> | undefined;
  let closed = false;
  // undici is a megabyte of code: loaded for the first request. Outside of its call, as all that outlives it.
  const connections = (): Promise<Dispatcher> => (dispatcher ??= detached(async () => (await import('./dispatcher.ts')).createDispatcher(policy)));

  const send = async (url: URL, request: HttpRequest, method: string, signal: AbortSignal): Promise<HttpAnswer> => {
    signal.throwIfAborted();
    if (closed) throw unavailable('http', 'The HTTP client is closed: make requests before it is.');
    const headers = headersOf(request, userAgent, propagateTrace);
    const { body = null } = request;
    // Detached: a socket outlives the call that opens it, and must not deliver other calls' data in this one's context.
    const answered = detached(async () => {
      const agent = await connections();
      return agent.request({ origin: url.origin, path: `${url.pathname}${url.search}`, method: method as Dispatcher.HttpMethod, headers, body, signal });
    });
    const answer = await unlessAborted(answered, signal);
    return { status: answer.statusCode, headers: plainHeaders(answer.headers), ...(await readBounded(answer.body, maxResponseBytes)) };
  };

  const close = async (): Promise<void> => {
    closed = true;
    await (await dispatcher)?.destroy();
  };

  return {
    async request(request) {
      const url = parseHttpUrl(request.url);
      const method = request.method ?? (request.body === undefined ? 'GET' : 'POST');
      const limits = requestLimits(request.timeoutMs ?? timeoutMs, request.signal);
      const span = startSpan(method, url);
      const own = trace.setSpan(otel.active(), span);
      const startedAt = performance.now();
      const facts = (): Record<string, unknown> => ({ method, host: url.host, duration_ms: Math.round((performance.now() - startedAt) * 100) / 100 });
      try {
        const answer = await otel.with(own, () => send(url, request, method, limits.signal));
        endWithStatus(span, answer.status);
        // As for calls between services: what went well is for debugging, whose fault a failure is decides about the rest.
        otel.with(own, () => log[answer.status >= 500 ? 'info' : 'debug']('http request', { ...facts(), status: answer.status }));
        return answer;
      } catch (cause) {
        const error = explain(cause, url, limits);
        endWithError(span, error);
        otel.with(own, () => log[error.code === 'cancelled.http' ? 'debug' : 'info']('http request', { ...facts(), code: error.code, error: error.message }));
        throw error;
      } finally {
        limits.end();
      }
    },
    checkUrl: (url, field) => checkUrl(url, { ...policy, field }),
    close,
    name: 'http',
    checkers: [],
    start(host) {
      log = options.log ?? host.log;
      return Promise.resolve();
    },
    stop: close,
  };
}

function explain(cause: unknown, url: URL, limits: RequestLimits): ServiceError {
  if (cause instanceof ServiceError) return cause;
  if (limits.isLate()) return timeout('http', `${url.host} did not answer within ${String(Math.round(limits.limitMs))} ms.`, { cause });
  if (limits.isHungUp()) return cancelled('http', `The request to ${url.host} was called off.`, { cause });
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (code === 'UND_ERR_INVALID_ARG') return badRequest('invalid_param', `The request to ${url.host} is no HTTP: ${(cause as Error).message}.`, { cause });
  return unavailable('http', `${url.host} could not be reached${code === '' ? '' : ` (${code})`}.`, { cause });
}
