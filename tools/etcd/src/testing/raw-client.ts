import { credentials, makeGenericClientConstructor, Metadata, type Client, type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js';
import { type WatchRequest, type WatchResponse } from '../messages.ts';
import { loadProtocol, type ServiceName } from '../protocol.ts';

/** Sends requests as they are, without what a real client adds or corrects. */
export interface RawClient {
  /** Calls a unary method. Resolves with the answer, or with `{ error }`: code and text. */
  call(service: ServiceName, method: string, request: object, token?: string): Promise<Record<string, unknown>>;
  watch(token?: string): ClientDuplexStream<WatchRequest, WatchResponse>;
  keepAlive(id: string, token?: string): Promise<Record<string, unknown>>;
  close(): void;
}

type UnaryCall = (request: object, metadata: Metadata, options: { deadline: number }, callback: (error: ServiceError | null, answer: Record<string, unknown>) => void) => void;

const protocol = loadProtocol();

function withToken(token: string | undefined): Metadata {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('token', token);
  return metadata;
}
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
    call: (service, method, request, token) =>
      new Promise((resolve) => {
        const target = client(service);
        (target[method] as UnaryCall).call(target, request, withToken(token), { deadline: Date.now() + CALL_LIMIT_MS }, (error, answer) =>
          resolve(error ? { error: `${error.code} ${error.details}` } : answer),
        );
      }),
    watch: (token) => {
      const target = client('Watch');
      return (target['Watch'] as (metadata: Metadata) => ClientDuplexStream<WatchRequest, WatchResponse>).call(target, withToken(token));
    },
    keepAlive: (id, token) =>
      new Promise((resolve) => {
        const target = client('Lease');
        const stream = (target['LeaseKeepAlive'] as (metadata: Metadata) => ClientDuplexStream<object, Record<string, unknown>>).call(target, withToken(token));
        stream.on('data', resolve);
        stream.on('error', (error) => resolve({ error: `${(error as ServiceError).code} ${(error as ServiceError).details}` }));
        stream.write({ ID: id });
        stream.end();
      }),
    close: () => {
      for (const open of clients.values()) open.close();
    },
  };
}
