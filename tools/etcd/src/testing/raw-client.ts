import { credentials, makeGenericClientConstructor, type Client, type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js';
import { type WatchRequest, type WatchResponse } from '../messages.ts';
import { loadProtocol, type ServiceName } from '../protocol.ts';

/** Sends requests as they are, without what a real client adds or corrects. */
export interface RawClient {
  /** Calls a unary method. Resolves with the answer, or with `{ error }`: code and text. */
  call(service: ServiceName, method: string, request: object): Promise<Record<string, unknown>>;
  watch(): ClientDuplexStream<WatchRequest, WatchResponse>;
  close(): void;
}

type UnaryCall = (request: object, options: { deadline: number }, callback: (error: ServiceError | null, answer: Record<string, unknown>) => void) => void;

const protocol = loadProtocol();
const CALL_LIMIT_MS = 20_000;

/** Connects to a server. */
export function rawClient(address: string): RawClient {
  const clients = new Map<ServiceName, Client>();
  const client = (service: ServiceName): Record<string, unknown> => {
    let found = clients.get(service);
    if (!found) {
      found = new (makeGenericClientConstructor(protocol[service], service))(address, credentials.createInsecure());
      clients.set(service, found);
    }
    return found as unknown as Record<string, unknown>;
  };
  return {
    call: (service, method, request) =>
      new Promise((resolve) => {
        const target = client(service);
        (target[method] as UnaryCall).call(target, request, { deadline: Date.now() + CALL_LIMIT_MS }, (error, answer) =>
          resolve(error ? { error: `${error.code} ${error.details}` } : answer),
        );
      }),
    watch: () => {
      const target = client('Watch');
      return (target['Watch'] as () => ClientDuplexStream<WatchRequest, WatchResponse>).call(target);
    },
    close: () => {
      for (const open of clients.values()) open.close();
    },
  };
}
