import { create, createFileRegistry, fromBinary, fromJson, type DescService, type JsonValue, type Message } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { mutableSetting, type Logger, type MutableSetting } from '@talaria/base';
import { createConnector, createServer, grpcTransport, type CallContext } from '@talaria/rpc';
import { unauthorized } from '@talaria/errors';
import { createGateway, type GatewayOptions } from '../gateway/gateway.ts';
import { dynamicDefinition } from '../gateway/definition.ts';
import { type ContractSource } from '../transcode/routes.ts';
import { libraryContract } from './library-contract.ts';

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, libraryContract.descriptorSet));
const service = registry.getService(libraryContract.contract) as DescService;
const everything = service.methods[0]?.output;

/** A response made from JSON. */
export function everythingFrom(json: JsonValue): Message {
  if (!everything) throw new Error('no such message');
  return fromJson(everything, json, { registry });
}

/** `library.v1.Empty`. */
export function emptyMessage(): Message {
  const desc = registry.getMessage('library.v1.Empty');
  if (!desc) throw new Error('no such message');
  return create(desc);
}

type Handler = (request: Message, context: CallContext) => unknown;

/** A logger that remembers what it is told. */
export function rememberingLog(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const note = (message: string): void => void lines.push(message);
  const log = { lines, trace: note, debug: note, info: note, warn: note, error: note, fatal: note, with: () => log };
  return log;
}

/** A library service over gRPC, behind a gateway. */
export interface Library {
  readonly url: string;
  readonly port: number;
  readonly contracts: MutableSetting<readonly ContractSource[]>;
  readonly gateway: ReturnType<typeof createGateway>;
  readonly log: ReturnType<typeof rememberingLog>;
  /** Replaces how a method answers; by default it echoes. */
  answer(method: string, handler: Handler): void;
  fetch(target: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

/** Starts one. The token `good` stands for user_1. */
export async function startLibrary(options: Partial<GatewayOptions> & { readonly serve?: boolean } = {}): Promise<Library> {
  const handlers = new Map<string, Handler>();
  const definition = dynamicDefinition(service);
  const echo: Handler = (request) => request;
  const implementation = Object.fromEntries(
    service.methods
      .filter(({ methodKind }) => methodKind !== 'client_streaming')
      .map(({ localName, methodKind }) => {
        const handle: Handler = (request, context) => (handlers.get(localName) ?? echo)(request, context);
        if (methodKind !== 'server_streaming') return [localName, async (request: Message, context: CallContext) => handle(request, context)];
        return [localName, async function* (request: Message, context: CallContext) { yield* handle(request, context) as AsyncIterable<Message>; }];
      }),
  );
  const { upload: _upload, ...served } = definition;
  const server = createServer({ transports: [grpcTransport()] });
  server.add(served as never, implementation as never);
  const address = await server.listen('h2c://127.0.0.1:0');
  const connector = createConnector({
    resolver: { resolve: () => ({ endpoints: options.serve === false ? [] : [{ id: address, addresses: [address] }], onChange: () => () => {}, close: () => {} }) },
    transports: [grpcTransport()],
    picker: () => ({ pick: ([first]) => first as NonNullable<typeof first> }),
  });
  const contracts = mutableSetting<readonly ContractSource[]>([libraryContract]);
  const log = rememberingLog();
  const gateway = createGateway({
    contracts,
    client: (one) => connector.client(one as never),
    authenticate: async (token) => {
      if (token !== 'good') throw unauthorized('invalid_token', 'The token is not valid.');
      return { passport: 'passport', principal: { id: 'user_1', clientId: 'client', scopes: [] } };
    },
    log,
    host: '127.0.0.1',
    port: 0,
    ...options,
  });
  const close = async (): Promise<void> => {
    await gateway.drain(0);
    await connector.close();
    await server.drain(0);
  };
  const { port } = await gateway.listen().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const url = `http://127.0.0.1:${String(port)}`;
  return {
    url,
    port,
    contracts,
    gateway,
    log,
    answer: (method, handler) => void handlers.set(method, handler),
    fetch: (target, init) => fetch(`${url}${target}`, init),
    close,
  };
}
