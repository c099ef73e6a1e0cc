import { SpanKind, SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import type { ServiceError } from '@talaria/errors';

const tracer = trace.getTracer('@talaria/http');

/** Those of RFC 9110 and PATCH; spans call all others `_OTHER`, so that their names stay few. */
const KNOWN_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE']);

/**
 * Starts the CLIENT span of a request. Without `url.full`: a webhook's path and query may be secrets of its receiver.
 * Source: https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client
 */
export function startSpan(method: string, url: URL): Span {
  const known = KNOWN_METHODS.has(method);
  return tracer.startSpan(known ? method : 'HTTP', {
    kind: SpanKind.CLIENT,
    attributes: {
      'http.request.method': known ? method : '_OTHER',
      ...(known ? {} : { 'http.request.method_original': method }),
      'server.address': url.hostname.replace(/^\[|\]$/g, ''),
      'server.port': Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
      'url.scheme': url.protocol.slice(0, -1),
    },
  });
}

/** Ends a span with the status of the answer; from 400 on the request has failed. */
export function endWithStatus(span: Span, status: number): void {
  span.setAttribute('http.response.status_code', status);
  if (status >= 400) span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', String(status));
  span.end();
}

/** Ends a span of a request without an answer. */
export function endWithError(span: Span, error: ServiceError): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message }).setAttribute('error.type', error.code);
  span.end();
}
