import type { ServiceDefinition } from '@talaria/rpc';

const text = {
  requestSerialize: (value: string) => Buffer.from(value),
  requestDeserialize: (bytes: Uint8Array) => Buffer.from(bytes).toString(),
  responseSerialize: (value: string) => Buffer.from(value),
  responseDeserialize: (bytes: Uint8Array) => Buffer.from(bytes).toString(),
};

/** A contract of texts: what is called while its instances are replaced. */
export const RollingDefinition = {
  /** Takes a moment, and may not be made twice. */
  work: { ...text, path: '/rolling.v1.RollingService/Work', requestStream: false, responseStream: false, options: {} },
  /** Counts for ever, from behind the number that it is given. Its handler knows nothing of stops. */
  count: { ...text, path: '/rolling.v1.RollingService/Count', requestStream: false, responseStream: true, options: {} },
  /** So, too, and ends when the instance leaves. */
  countPolitely: { ...text, path: '/rolling.v1.RollingService/CountPolitely', requestStream: false, responseStream: true, options: {} },
} as const satisfies ServiceDefinition;

/** Its name. */
export const CONTRACT = 'rolling.v1.RollingService';
