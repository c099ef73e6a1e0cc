import { type IncomingMessage, type ServerResponse } from 'node:http';
import { context as otel, isSpanContextValid, SpanKind, SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import { type Logger } from '@talaria/base';
import { runInCall, withCall, type Principal } from '@talaria/context';
import { badRequest, cancelled, notFound, unauthorized, unavailable } from '@talaria/errors';
import { type Endpoint } from '@talaria/rpc';
import { type Found } from '../transcode/router.ts';
import { readRequest } from '../transcode/request.ts';
import { type Route } from '../transcode/routes.ts';
import { answer, answerProblem } from './answer.ts';
import { contentTypeOf, discardBody, readBody } from './body.ts';
import { callRoute, clientsOf, type ClientFactory } from './call.ts';
import { askForBaggage, strangersBaggage, withBaggage, type BaggageFor } from './edge-baggage.ts';
import { edgeCall } from './edge-call.ts';
import { HttpError, methodNotAllowed, toHttpError } from './http-error.ts';
import { inboundContext, requestIdOf } from './inbound-context.ts';
import { basicCredentials, isOAuth, requireForm, toOAuthAnswer } from './oauth.ts';
import { admission, BUSY, type LimitSettings } from './limits.ts';
import { priorityBaggage } from './route-priority.ts';
import { type RouteTable } from './route-table.ts';
import { countCall } from './rules/count-call.ts';
import { type GatewayRules } from './rules/gateway-rules.ts';
import { splitTarget } from './target.ts';

/** What a token stands for. */
export interface Authenticated {
  readonly passport: string;
  readonly principal?: Principal | undefined;
}

/** What handling requests needs. */
export interface HandlerOptions {
  readonly routes: RouteTable;
  /** Whether the contracts were read at least once; before that an unknown path may only be unknown yet. */
  readonly routesKnown: () => boolean;
  readonly client: ClientFactory;
  readonly authenticate: (token: string) => Promise<Authenticated>;
  readonly log: Logger;
  readonly limits: LimitSettings;
  readonly allowedBaggage: readonly string[];
  readonly baggageFor: BaggageFor | undefined;
  readonly rules: GatewayRules;
}

/** One request on its way. */
interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly span: Span;
  readonly signal: AbortSignal;
  /** Whether the client waits for `100 Continue` before it sends its body. */
  readonly continueFirst: boolean;
}

const tracer = trace.getTracer('@talaria/http');
const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE']);

/** Node keeps the first of several; which of them the sender meant, nobody can say. */
function checkAuthorization(req: IncomingMessage): void {
  if ((req.headersDistinct['authorization']?.length ?? 0) > 1) throw badRequest('duplicate_header', 'There is more than one Authorization header: send one.', { params: { header: 'authorization' } });
}

/** The bearer token. RFC 6750, section 2.1 */
function bearerToken(req: IncomingMessage): string {
  const header = req.headers.authorization;
  if (header === undefined) throw unauthorized('missing_token', 'This needs a token: send it as Authorization: Bearer.');
  const token = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(header)?.[1];
  if (token === undefined || token.length > 8192) throw unauthorized('invalid_token', 'The Authorization header holds no bearer token.');
  return token;
}

/** Makes the function that answers every request but those about the gateway itself. */
export function requestHandler(options: HandlerOptions): (req: IncomingMessage, res: ServerResponse, continueFirst: boolean) => void {
  const { routes, log, limits } = options;
  const admit = admission(limits.maxInFlight, log);
  const allowedBaggage = strangersBaggage(options.allowedBaggage, log);
  const methodOf = clientsOf(options.client);

  const find = (method: string, path: string): Extract<Found<Route>, { route: Route }> => {
    let found = routes.find(method, path);
    if (found && !('route' in found) && method === 'HEAD') found = routes.find('GET', path) ?? found;
    if (found && 'route' in found) return found;
    if (routes.wasThere(method, path) || (method === 'HEAD' && routes.wasThere('GET', path))) throw unavailable('contract', 'What answers here is not published at the moment.', { retryAfterMs: 1000 });
    if (!found && !options.routesKnown()) throw unavailable('routes', 'The routes are not known yet.', { retryAfterMs: 1000 });
    if (!found) throw notFound('route', `There is nothing at ${path.slice(0, 200)}.`);
    const allow = [...new Set([...found.allow, ...(found.allow.includes('GET') ? ['HEAD'] : []), 'OPTIONS'])].sort();
    const refusal = methodNotAllowed(method, allow);
    if (method === 'OPTIONS') throw new HttpError(refusal.error, 204, refusal.headers);
    throw refusal;
  };

  const serve = async (exchange: Exchange, route: Route, variable: (name: string) => string, query: string): Promise<void> => {
    const { req, res, signal } = exchange;
    admit(res);
    checkAuthorization(req);
    const oauth = isOAuth(route.pattern);
    const token = route.access === 'principal' ? bearerToken(req) : undefined;
    const body = await readBody(req, res, { limit: limits.maxBodyBytes.get(), continueFirst: exchange.continueFirst });
    if (signal.aborted) throw signal.reason as Error;
    const streams = route.desc.methodKind === 'server_streaming';
    const deadline = performance.now() + (streams ? limits.streamDeadlineMs : limits.deadlineMs).get();
    await runInCall({ deadline, signal }, async () => {
      const who: Partial<Authenticated> = token === undefined ? {} : await options.authenticate(token);
      if (signal.aborted) throw signal.reason as Error;
      const ruled = options.rules.apply({ service: route.service, contract: route.contract, method: route.desc.name }, who.principal?.id);
      for (const [name, value] of Object.entries(ruled.headers)) res.setHeader(name, value);
      if (ruled.refusal) throw ruled.refusal;
      const contentType = contentTypeOf(req, body.length);
      const request = readRequest(route, {
        variable,
        query,
        body,
        contentType: oauth ? requireForm(contentType) : contentType,
        ...(oauth ? { extra: basicCredentials(req), ignoreUnknown: true } : {}),
      });
      const baggage = [...priorityBaggage(route), ...ruled.baggage, ...askForBaggage(options.baggageFor, edgeCall(route, who.principal, req, request), log)];
      const call = (onAttempt?: (endpoint: Endpoint) => void): Promise<void> => callRoute(route, methodOf(route), request, res, { signal, onAttempt }, oauth ? { pragma: 'no-cache' } : {});
      await runInCall({ ...who }, () => withBaggage(baggage, () => (ruled.ended ? countCall(ruled.ended, { signal, streams }, call) : call())));
    });
  };

  const fail = (exchange: Exchange, thrown: unknown, pattern: string | undefined): void => {
    const { req, res, span } = exchange;
    const failure = toHttpError(thrown);
    const { error, status } = failure;
    if (status >= 500) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
      if (exchange.signal.aborted) log.debug('a request was given up', { code: error.code });
      // One line for many of them: the admission writes it.
      else if (error.code !== BUSY) log[status === 500 ? 'error' : 'warn']('a request failed', { method: req.method, route: pattern, status, code: error.code, err: error });
    }
    if (status >= 400) span.setAttribute('error.type', error.code);
    if (status === 204) answer(res, 204, failure.headers, '');
    else if (pattern !== undefined && isOAuth(pattern)) {
      const { body, ...rest } = toOAuthAnswer(failure);
      answer(res, rest.status, rest.headers, body);
    } else answerProblem(res, failure, isSpanContextValid(span.spanContext()) ? span.spanContext().traceId : undefined);
    discardBody(req);
  };

  const walk = async (exchange: Exchange): Promise<void> => {
    const { req, span } = exchange;
    const method = req.method ?? 'GET';
    const [path, query] = splitTarget(req.url ?? '/');
    let pattern: string | undefined;
    try {
      if (req.url === '*' && method === 'OPTIONS') throw new HttpError(badRequest('', ''), 204, { allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' });
      // The pattern of a path is known also when the method is wrong: it says how errors look.
      if (isOAuth(path) && routes.find('POST', path) !== undefined) pattern = path;
      const { route, variable } = find(method, path);
      pattern = route.pattern;
      span.updateName(`${method} ${pattern}`).setAttribute('http.route', pattern);
      await serve(exchange, route, variable, query);
    } catch (thrown) {
      fail(exchange, thrown, pattern);
    }
  };

  return (req, res, continueFirst) => {
    const requestId = requestIdOf(req);
    res.setHeader('x-request-id', requestId);
    const hangUp = new AbortController();
    const method = KNOWN_METHODS.has(req.method ?? '') ? (req.method ?? '') : '_OTHER';
    const parent = inboundContext(req, allowedBaggage);
    const [path] = splitTarget(req.url ?? '/');
    const span = tracer.startSpan(
      method === '_OTHER' ? 'HTTP' : method,
      { kind: SpanKind.SERVER, attributes: { 'http.request.method': method, 'url.path': path.slice(0, 1024), 'url.scheme': 'http', 'network.protocol.version': req.httpVersion } },
      parent,
    );
    res.on('close', () => {
      if (!res.writableFinished) hangUp.abort(cancelled('client', 'The client hung up.'));
      span.setAttribute('http.response.status_code', res.headersSent ? res.statusCode : 499);
      span.end();
    });
    const context = withCall(trace.setSpan(parent, span), { requestId, signal: hangUp.signal });
    const exchange: Exchange = { req, res, span, signal: hangUp.signal, continueFirst };
    void otel.with(context, () => walk(exchange)).catch((err: unknown) => {
      log.error('answering a request failed', { err });
      res.destroy();
    });
  };
}
