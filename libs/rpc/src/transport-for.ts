import type { Transport } from './transport.ts';

/** The scheme of an address: `h2c` of `h2c://127.0.0.1:4000`. */
export function schemeOf(address: string): string | undefined {
  const end = address.indexOf('://');
  return end > 0 ? address.slice(0, end) : undefined;
}

/** The transport that takes an address; throws, with what is possible, if none does. */
export function transportFor(transports: readonly Transport[], address: string): Transport {
  const scheme = schemeOf(address);
  const found = transports.find(({ schemes }) => scheme !== undefined && schemes.includes(scheme));
  if (found) return found;
  const possible = transports.flatMap(({ schemes }) => schemes.map((name) => `${name}://`));
  throw new Error(`No transport takes the address ${address}: it has to begin with ${possible.join(' or ')}`);
}
