import { badRequest, type ServiceError } from '@talaria/errors';
import { isAddress, isAllowedAddress, type AddressPolicy } from './address.ts';
import { lookupWithin, type Lookup } from './lookup.ts';

const MAX_URL_CHARACTERS = 2048;
/** A name server that does not answer must not hold up a registration; each connect checks again. */
const LOOKUP_LIMIT_MS = 3000;
/** RFC 6761 reserves these names for loopback, whatever a resolver says. */
const LOOPBACK_NAME = /(^|\.)localhost\.?$/;

function refused(field: string, description: string): ServiceError {
  return badRequest('invalid_param', `${field}: ${description}`, { params: { param: field }, violations: [{ field, description }] });
}

/** The URL, if it is a well-formed one for HTTP without credentials. Throws `bad_request.invalid_param`. */
export function parseHttpUrl(text: string, field = 'url'): URL {
  if (text.length > MAX_URL_CHARACTERS) throw refused(field, `must have at most ${String(MAX_URL_CHARACTERS)} characters`);
  // The URL parser forgives what two readers could read differently: spaces, line ends, backslashes, a missing //.
  if (/[\p{Cc}\s\\]/u.test(text) || !text.isWellFormed() || !/^https?:\/\/[^/]/i.test(text)) throw refused(field, 'must be an http or https URL');
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw refused(field, 'must be an http or https URL');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refused(field, 'must be an http or https URL');
  if (url.username !== '' || url.password !== '' || /^https?:\/\/[^/?#]*@/i.test(text)) throw refused(field, 'must not carry credentials');
  if (url.port === '0') throw refused(field, 'must not name port 0');
  return url;
}

/** The error for a host that may not be reached. */
export function forbiddenAddress(field = 'url'): ServiceError {
  return refused(field, 'must lead to a public address');
}

/**
 * For the registration of a URL: throws `bad_request.invalid_param` when it is malformed or when any address of its host is
 * forbidden. A name that does not resolve is accepted, for each connect checks again.
 */
export async function checkUrl(text: string, policy: AddressPolicy & { readonly lookup: Lookup; readonly field?: string | undefined; readonly lookupLimitMs?: number }): Promise<void> {
  const { field = 'url', lookup, lookupLimitMs = LOOKUP_LIMIT_MS } = policy;
  const { hostname } = parseHttpUrl(text, field);
  if (isAddress(hostname)) {
    if (!isAllowedAddress(hostname, policy)) throw forbiddenAddress(field);
    return;
  }
  if (LOOPBACK_NAME.test(hostname) && !policy.allowLoopback) throw forbiddenAddress(field);
  const addresses = await lookupWithin(lookup, hostname, lookupLimitMs).catch(() => []);
  if (!addresses.every(({ address }) => isAllowedAddress(address, policy))) throw forbiddenAddress(field);
}
