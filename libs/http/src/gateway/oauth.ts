import type { IncomingMessage } from 'node:http';
import { badRequest, unauthorized, type ServiceError } from '@talaria/errors';
import { type HttpError } from './http-error.ts';

/** Paths whose answers follow RFC 6749 instead of RFC 9457. */
export function isOAuth(pattern: string): boolean {
  return pattern.startsWith('/oauth2/');
}

/** RFC 6749, section 5.2. */
const TOKEN_ERRORS = new Set(['invalid_request', 'invalid_client', 'invalid_grant', 'unauthorized_client', 'unsupported_grant_type', 'invalid_scope']);

function tokenErrorOf(error: ServiceError): string {
  const last = error.code.slice(error.code.lastIndexOf('.') + 1);
  if (TOKEN_ERRORS.has(last)) return last;
  const status = error.kind.http;
  if (status === 401) return 'invalid_client';
  if (status < 500 && status !== 429) return 'invalid_request';
  // Section 4.1.2.1 names these two for the authorization endpoint; the token endpoint has no others for our faults.
  return status === 500 || status === 501 ? 'server_error' : 'temporarily_unavailable';
}

/** The answer after RFC 6749, section 5.2, to an error. */
export function toOAuthAnswer({ error, status, headers }: HttpError): { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string } {
  const name = tokenErrorOf(error);
  const { 'www-authenticate': _bearer, ...others } = headers;
  const withheld = status === 500 ? 'Something went wrong on our side.' : error.message;
  // Only these characters are allowed in a description.
  const description = withheld.replaceAll(/["\\]/g, "'").replaceAll(/[^\x20-\x7e]/g, '?');
  const keepsStatus = status >= 500 || [405, 413, 429].includes(status);
  return {
    status: name === 'invalid_client' ? 401 : keepsStatus ? status : 400,
    headers: { 'content-type': 'application/json', pragma: 'no-cache', ...others, ...(name === 'invalid_client' ? { 'www-authenticate': 'Basic realm="talaria", charset="UTF-8"' } : {}) },
    body: JSON.stringify({ error: name, error_description: description }),
  };
}

/** Both parts are form-encoded before they are joined. RFC 6749, section 2.3.1 */
function formDecoded(part: string): string {
  try {
    return decodeURIComponent(part.replaceAll('+', ' '));
  } catch {
    throw unauthorized('invalid_client', 'The client credentials are not form-encoded.');
  }
}

/** Client credentials sent by HTTP Basic, as the form fields that stand for them. */
export function basicCredentials(req: IncomingMessage): readonly (readonly [string, string])[] {
  const header = req.headers.authorization;
  if (header === undefined) return [];
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header)?.[1];
  if (encoded === undefined) throw unauthorized('invalid_client', 'Clients authenticate by HTTP Basic or by the fields client_id and client_secret.');
  const plain = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = plain.indexOf(':');
  if (colon < 0) throw unauthorized('invalid_client', 'The client credentials lack a colon.');
  return [
    ['client_id', formDecoded(plain.slice(0, colon))],
    ['client_secret', formDecoded(plain.slice(colon + 1))],
  ];
}

/** Forms only. */
export function requireForm(contentType: 'json' | 'form' | undefined): 'form' {
  if (contentType === 'form') return contentType;
  throw badRequest('invalid_request', 'The request must be application/x-www-form-urlencoded.');
}
