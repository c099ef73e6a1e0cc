import * as internals from '@grpc/grpc-js/build/src/server-interceptors.js';
import { LONGEST_MS } from '../deadline.ts';

/** What the patch uses of grpc-js's `BaseServerInterceptingCall`. */
interface ServerCall {
  handleTimeoutHeader(header: string | Buffer): void;
}

const PATCHED = Symbol.for('talaria.timeoutPatch');

/** Milliseconds of each unit. Source: "Requests" in gRPC's PROTOCOL-HTTP2.md. */
const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };
const MOST_DIGITS = 8;

/** Milliseconds of a `grpc-timeout`; undefined if there is none, or if it is malformed. */
export function timeoutMs(header: string | readonly string[] | undefined): number | undefined {
  if (typeof header !== 'string') return undefined;
  // Read by hand: it is in the way of every call, and a pattern takes ten times as long.
  let count = 0;
  let at = 0;
  for (; at < header.length; at++) {
    const digit = header.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) break;
    count = count * 10 + digit;
  }
  const name = header.slice(at).trimStart();
  const unit = Object.hasOwn(UNITS, name) ? UNITS[name] : undefined;
  return at === 0 || at > MOST_DIGITS || unit === undefined ? undefined : count * unit;
}

/** The same `grpc-timeout`, or the longest that grpc-js can take (23 days) if it is longer. */
export function boundedTimeout(header: string): string {
  return (timeoutMs(header) ?? 0) > LONGEST_MS ? `${LONGEST_MS / 1000}S` : header;
}

/**
 * Makes a server take long deadlines. grpc-js 1.14 keeps a `grpc-timeout` in 32 bits, so that a client's 597 hours are over at
 * once. It reaches into grpc-js; where that looks different it does nothing, and `timeout-patch.test.ts` fails.
 */
export function applyTimeoutPatch(): boolean {
  // Imported, not required: a bundler has to see that it is the same grpc-js.
  const { BaseServerInterceptingCall: found } = internals as unknown as { readonly BaseServerInterceptingCall?: { readonly prototype: ServerCall & { [PATCHED]?: boolean } } };
  const prototype = found?.prototype;
  if (typeof prototype?.handleTimeoutHeader !== 'function') return false;
  if (prototype[PATCHED]) return true;
  const original = prototype.handleTimeoutHeader;
  prototype.handleTimeoutHeader = function (this: ServerCall, header: string | Buffer): void {
    original.call(this, boundedTimeout(header.toString()));
  };
  prototype[PATCHED] = true;
  return true;
}
