import { baggageEntryMetadataFromString, propagation, type Baggage, type BaggageEntry } from '@opentelemetry/api';

/** Most entries that travel. Source of both limits: https://www.w3.org/TR/baggage/#limits */
export const MAX_BAGGAGE_ENTRIES = 64;
/** Most bytes of the whole header that travel. */
export const MAX_BAGGAGE_BYTES = 8_192;

/** RFC 9110's `token`. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** W3C's `baggage-octet`s. */
const VALUE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/;
/** What may stand in properties; they are passed on as they came. */
const PROPERTIES = /^[\t\x20-\x2b\x2d-\x7e]*$/;

/** Whether a name can stand in the header as it is. */
export function isBaggageName(name: string): boolean {
  return TOKEN.test(name);
}

/** A value as the header has it: everything but unreserved characters is percent-encoded UTF-8. */
export function encodeBaggageValue(value: string): string {
  // encodeURIComponent throws for lone surrogates.
  return encodeURIComponent(value.toWellFormed());
}

/** Octets that are no UTF-8 become U+FFFD, as W3C asks. */
function decodeValue(encoded: string): string {
  if (!encoded.includes('%')) return encoded;
  const bytes = Buffer.from(encoded.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))), 'latin1');
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

/** One entry as the header has it; undefined for one that cannot stand there. */
function member(name: string, { value, metadata }: BaggageEntry): string {
  // Names that code of this process chose freely, through OpenTelemetry's own API, travel as OpenTelemetry writes them.
  const pair = `${TOKEN.test(name) ? name : encodeURIComponent(name.toWellFormed())}=${encodeBaggageValue(value)}`;
  const properties = metadata?.toString() ?? '';
  return properties !== '' && PROPERTIES.test(properties) ? `${pair};${properties}` : pair;
}

/** How much of the header a baggage takes, in entries and in bytes. */
export function baggageSize(baggage: Baggage): { readonly entries: number; readonly bytes: number } {
  const members = baggage.getAllEntries().map(([name, entry]) => member(name, entry));
  return { entries: members.length, bytes: members.reduce((sum, one) => sum + one.length + 1, 0) - (members.length > 0 ? 1 : 0) };
}

/** The header of a baggage. Entries that do not fit into W3C's limits are left out whole. */
export function formatBaggage(baggage: Baggage): string {
  let header = '';
  let entries = 0;
  for (const [name, entry] of baggage.getAllEntries()) {
    if (entries === MAX_BAGGAGE_ENTRIES) break;
    const next = member(name, entry);
    if (next.length + header.length + (entries > 0 ? 1 : 0) > MAX_BAGGAGE_BYTES) continue;
    header = entries === 0 ? next : `${header},${next}`;
    entries++;
  }
  return header;
}

function parseMember(text: string): readonly [name: string, entry: BaggageEntry] | undefined {
  const semicolon = text.indexOf(';');
  const pair = semicolon < 0 ? text : text.slice(0, semicolon);
  const equals = pair.indexOf('=');
  if (equals < 0) return undefined;
  const name = pair.slice(0, equals).trim();
  const value = pair.slice(equals + 1).trim();
  const properties = semicolon < 0 ? '' : text.slice(semicolon + 1).trim();
  if (!TOKEN.test(name) || !VALUE.test(value) || !PROPERTIES.test(properties)) return undefined;
  return [name, properties === '' ? { value: decodeValue(value) } : { value: decodeValue(value), metadata: baggageEntryMetadataFromString(properties) }];
}

/**
 * The baggage of a header, within W3C's limits; undefined if there is none. Malformed entries, and those beyond a limit, are
 * left out whole; it never throws. Of several entries of one name the last counts.
 */
export function parseBaggage(header: string): Baggage | undefined {
  const found = new Map<string, BaggageEntry>();
  let bytes = 0;
  for (const text of header.split(',')) {
    if (found.size === MAX_BAGGAGE_ENTRIES) break;
    const parsed = bytes + text.length + 1 > MAX_BAGGAGE_BYTES + 1 ? undefined : parseMember(text);
    if (!parsed) continue;
    bytes += text.length + 1;
    found.set(...parsed);
  }
  return found.size > 0 ? propagation.createBaggage(Object.fromEntries(found)) : undefined;
}
