import type { ServiceDefinition } from '@talaria/rpc';
import { MESSAGE } from './null-transport.ts';

const unary = {
  requestStream: false,
  responseStream: false,
  requestSerialize: (): Uint8Array => MESSAGE,
  requestDeserialize: (bytes: Uint8Array): unknown => bytes,
  responseSerialize: (): Uint8Array => MESSAGE,
  responseDeserialize: (bytes: Uint8Array): unknown => bytes,
} as const;

/** As definitions have it that are made at run time. */
const URGENT = { idempotencyLevel: 'IDEMPOTENT', priority: 'critical' } as { readonly idempotencyLevel: 'IDEMPOTENT' };

/** A contract whose codec costs nothing: an idempotent method, to which every default applies, and one with a priority of its own. */
export const BenchDefinition = {
  get: { ...unary, path: '/bench.Bench/Get', options: { idempotencyLevel: 'IDEMPOTENT' } },
  urgent: { ...unary, path: '/bench.Bench/Urgent', options: URGENT },
} as const satisfies ServiceDefinition;
