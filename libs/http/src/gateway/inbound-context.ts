import { type IncomingMessage } from 'node:http';
import { propagation, ROOT_CONTEXT, type Context } from '@opentelemetry/api';
import { newId } from '@talaria/base';

/** One value of a header that may stand there once. */
function single(req: IncomingMessage, name: string): string | undefined {
  const value = req.headers[name];
  return typeof value === 'string' ? value : undefined;
}

/**
 * What a stranger may say about the context of a call: its trace, and the baggage that is allowed by name. No other header
 * goes any further.
 */
export function inboundContext(req: IncomingMessage, allowedBaggage: ReadonlySet<string>): Context {
  const carrier: Record<string, string> = {};
  for (const name of ['traceparent', 'tracestate', ...(allowedBaggage.size > 0 ? ['baggage'] : [])]) {
    const value = single(req, name);
    if (value !== undefined) carrier[name] = value;
  }
  const extracted = propagation.extract(ROOT_CONTEXT, carrier);
  const entries = propagation.getBaggage(extracted)?.getAllEntries().filter(([name]) => allowedBaggage.has(name)) ?? [];
  const bare = propagation.deleteBaggage(extracted);
  return entries.length === 0 ? bare : propagation.setBaggage(bare, propagation.createBaggage(Object.fromEntries(entries)));
}

/** The request's id: the client's own if it is harmless in logs and headers, else a new one. */
export function requestIdOf(req: IncomingMessage): string {
  const given = single(req, 'x-request-id');
  return given !== undefined && /^[A-Za-z0-9._:-]{1,128}$/.test(given) ? given : newId('req');
}
