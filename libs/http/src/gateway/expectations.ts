import { type IncomingMessage } from 'node:http';
import { badRequest } from '@talaria/errors';
import { HttpError } from './http-error.ts';

/** What of HTTP itself a request breaks, before its path matters; undefined when nothing. Node would answer these without a body. */
export function protocolProblem(req: IncomingMessage): HttpError | undefined {
  const hosts = req.headersDistinct['host']?.length ?? 0;
  // RFC 9112, section 3.2: every request of HTTP/1.1 has exactly one.
  if (hosts > 1 || (hosts === 0 && req.httpVersion === '1.1')) {
    return new HttpError(badRequest('invalid_host', `A request needs one Host header, and this has ${hosts === 0 ? 'none' : 'several'}.`, { params: { header: 'host' } }), 400, { connection: 'close' });
  }
  const { expect } = req.headers;
  // RFC 9110, section 10.1.1: 100-continue is the only expectation there is.
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    return new HttpError(badRequest('unknown_expectation', 'The Expect header may only say 100-continue.', { params: { header: 'expect' } }), 417, { connection: 'close' });
  }
  return undefined;
}
