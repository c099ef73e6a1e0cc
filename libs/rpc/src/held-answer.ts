import type { Metadata } from 'nice-grpc-common';
import type { CallHandle, WireCallOptions } from './transport.ts';

/** What came with the answer of an attempt, held back until it is known whether that is the answer of the call. */
export interface HeldAnswer {
  header: Metadata | undefined;
  trailer: Metadata | undefined;
}

/** Options of an attempt whose caller wants headers or trailers; they go into `held`. */
export function holding(options: WireCallOptions, held: HeldAnswer, handle: CallHandle): WireCallOptions {
  return {
    ...options,
    handle,
    onHeader(metadata) {
      held.header = metadata;
    },
    onTrailer(metadata) {
      held.trailer = metadata;
    },
  };
}

/** Tells the caller what came with the answer that it gets; each once. */
export function tell(options: WireCallOptions, held: HeldAnswer | undefined): void {
  if (!held) return;
  const { header, trailer } = held;
  held.header = held.trailer = undefined;
  if (header) options.onHeader?.(header);
  if (trailer) options.onTrailer?.(trailer);
}
