import * as grpc from '@grpc/grpc-js';
import { CALLER_KEY, serviceTokens, type ServiceKey } from '@talaria/auth';
import { DegradationDefinition } from './contract.ts';
import type { Calls } from './driver.ts';

/** What its own documentation advises: turns, and three attempts for what is unavailable. */
const SERVICE_CONFIG = {
  loadBalancingConfig: [{ round_robin: {} }],
  methodConfig: [{ name: [{}], retryPolicy: { maxAttempts: 3, initialBackoff: '0.01s', maxBackoff: '1s', backoffMultiplier: 2, retryableStatusCodes: ['UNAVAILABLE'] } }],
};

/** Calls through grpc-js alone. It knows the addresses from the start, and sees no etcd. */
export async function plainCalls(addresses: readonly string[], key: ServiceKey): Promise<Calls> {
  const client = new grpc.Client(`ipv4:${addresses.join(',')}`, grpc.credentials.createInsecure(), {
    'grpc.service_config': JSON.stringify(SERVICE_CONFIG),
    'grpc.max_reconnect_backoff_ms': 1_000,
  });
  const tokens = serviceTokens(key, { edge: false });
  const { read, write } = DegradationDefinition;
  const call = async ({ path, requestSerialize, responseDeserialize }: typeof read | typeof write, request: string, deadlineMs: number, onPeer?: (to: string) => void): Promise<string> => {
    const metadata = new grpc.Metadata();
    metadata.set(CALLER_KEY, await tokens.token());
    return new Promise((resolve, reject) => {
      const made = client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, { deadline: Date.now() + deadlineMs }, (error, response) => {
        onPeer?.(made.getPeer());
        if (error) reject(error);
        else resolve(response ?? '');
      });
    });
  };
  return {
    read: ({ deadlineMs, onAttempt }) => call(read, '', deadlineMs, onAttempt),
    write: (id, { deadlineMs }) => call(write, id, deadlineMs),
  };
}
