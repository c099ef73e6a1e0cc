import type { ServiceDefinition } from '@talaria/rpc';

const text = {
  requestSerialize: (value: string) => Buffer.from(value),
  requestDeserialize: (bytes: Uint8Array) => Buffer.from(bytes).toString(),
  responseSerialize: (value: string) => Buffer.from(value),
  responseDeserialize: (bytes: Uint8Array) => Buffer.from(bytes).toString(),
};

/** What is served and called here: a contract of texts. */
export const DegradationDefinition = {
  /** May be made again. Answers the instance's name. */
  read: { ...text, path: '/degradation.v1.DegradationService/Read', requestStream: false, responseStream: false, options: { idempotencyLevel: 'NO_SIDE_EFFECTS' } },
  /** Must not be made twice: the instance writes down the id that it is given. */
  write: { ...text, path: '/degradation.v1.DegradationService/Write', requestStream: false, responseStream: false, options: {} },
} as const satisfies ServiceDefinition;

/** Its name. */
export const CONTRACT = 'degradation.v1.DegradationService';
