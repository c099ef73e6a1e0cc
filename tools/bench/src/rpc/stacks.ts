import { serviceKeyFrom, signPassport, staticKeys, tokenKeyFrom, type generateServiceKey } from '@talaria/auth';
import { silentLogger } from '@talaria/base';
import { AccountServiceDefinition, type CreateAccountRequest, type CreateAccountResponse } from '@talaria/contracts/account/v1/account';
import { memoryRegistry } from '@talaria/discovery';
import { balancedPicker } from '@talaria/resilience';
import { createConnector, createServer as createTalariaServer, grpcTransport, Metadata, staticResolver } from '@talaria/rpc';
import { createService, runInCall } from '@talaria/service';
import * as grpc from '@grpc/grpc-js';
import { createChannel, createClient, createServer } from 'nice-grpc';

type ServiceKeyPair = Awaited<ReturnType<typeof generateServiceKey>>;

/** The keys of the two sides. */
export interface BenchKeys {
  readonly server: ServiceKeyPair;
  readonly client: ServiceKeyPair;
  readonly passports: ServiceKeyPair;
}

/** One way to make a call; both sides. */
export interface Stack {
  readonly name: string;
  /** Resolves with the port. */
  serve(keys: BenchKeys): Promise<number>;
  connect(port: number, keys: BenchKeys): Promise<(request: CreateAccountRequest) => Promise<unknown>>;
}

const CONTRACT = AccountServiceDefinition.fullName;
const METHOD = AccountServiceDefinition.methods.createAccount;
const PATH = `/${CONTRACT}/${METHOD.name}`;

const answer = ({ description }: CreateAccountRequest): CreateAccountResponse => ({
  account: { id: 'acc_01J9ZQ6D3M3V9Y7P0E4W7S2X1A', description, created: new Date(0) },
});
const handlers = {
  createAccount: async (request: CreateAccountRequest) => answer(request),
  getAccount: async () => ({}),
  listAccounts: async () => ({}),
};

const encode = (request: CreateAccountRequest): Buffer => Buffer.from(METHOD.requestType.encode(request).finish());
const decodeRequest = (bytes: Buffer): CreateAccountRequest => METHOD.requestType.decode(bytes);
const encodeResponse = (response: CreateAccountResponse): Buffer => Buffer.from(METHOD.responseType.encode(response).finish());
const decodeResponse = (bytes: Buffer): CreateAccountResponse => METHOD.responseType.decode(bytes);

const grpcJs: Stack = {
  name: 'grpc-js',
  async serve() {
    const server = new grpc.Server();
    const method = { path: PATH, requestStream: false, responseStream: false, requestSerialize: encode, requestDeserialize: decodeRequest, responseSerialize: encodeResponse, responseDeserialize: decodeResponse } as const;
    server.addService({ [METHOD.name]: method }, {
      [METHOD.name]: (call: grpc.ServerUnaryCall<CreateAccountRequest, CreateAccountResponse>, done: grpc.sendUnaryData<CreateAccountResponse>) => done(null, answer(call.request)),
    });
    return new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port)));
    });
  },
  async connect(port) {
    const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    return (request) =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(PATH, encode, decodeResponse, request, (error, response) => (error ? reject(error) : resolve(response)));
      });
  },
};

const niceGrpc: Stack = {
  name: 'nice-grpc',
  async serve() {
    const server = createServer();
    server.add(AccountServiceDefinition, handlers);
    return server.listen('127.0.0.1:0');
  },
  async connect(port) {
    const client = createClient(AccountServiceDefinition, createChannel(`127.0.0.1:${port}`));
    return (request) => client.createAccount(request);
  },
};

const bare: Stack = {
  name: 'talaria, bare',
  async serve() {
    const server = createTalariaServer({ transports: [grpcTransport()] });
    server.add(AccountServiceDefinition, handlers);
    return Number(new URL(await server.listen('h2c://127.0.0.1:0')).port);
  },
  async connect(port) {
    const resolver = staticResolver({ [CONTRACT]: [`h2c://127.0.0.1:${port}`] });
    const client = createConnector({ resolver, transports: [grpcTransport()], picker: () => balancedPicker() }).client(AccountServiceDefinition);
    return (request) => client.createAccount(request);
  },
};

/** What a service is on, in processes that share no etcd. */
async function service(name: string, own: ServiceKeyPair, { server, client, passports }: BenchKeys, port?: number): Promise<ReturnType<typeof createService>> {
  const keys = await staticKeys({ keys: [server.publicJwk, client.publicJwk, passports.publicJwk] });
  const registry = memoryRegistry();
  const resolver = port === undefined ? registry : staticResolver({ [CONTRACT]: [`h2c://127.0.0.1:${port}`] });
  const env = { ...process.env, LOG_LEVEL: 'info' };
  return createService({
    name,
    description: 'One side of a benchmark',
    platform: { env, log: silentLogger, registry, resolver, listen: 'h2c://127.0.0.1:0', transports: [grpcTransport()], keys, key: await serviceKeyFrom(own.privateJwk) },
  });
}

const PASSPORT_SECONDS = 290;

const full: Stack = {
  name: 'talaria, every default',
  async serve(keys) {
    const server = await service('service.bench-server', keys.server, keys);
    server.add(AccountServiceDefinition, handlers);
    await server.start();
    return Number(new URL(server.address ?? '').port);
  },
  async connect(port, keys) {
    const client = (await service('service.bench-client', keys.client, keys, port)).client(AccountServiceDefinition);
    const issuedAt = Math.floor(Date.now() / 1000);
    const principal = { id: 'user_bench', clientId: 'bench', scopes: ['accounts:write'] };
    const passport = await signPassport(await tokenKeyFrom(keys.passports.privateJwk), { principal, issuedAt, expiresAt: issuedAt + PASSPORT_SECONDS, id: 'bench' });
    return (request) => runInCall({ principal, passport, requestId: 'req_bench', deadline: performance.now() + 10_000 }, () => client.createAccount(request, { metadata: Metadata() }));
  },
};

/** In the order of the table; the first is what the others are compared with. */
export const STACKS: readonly Stack[] = [grpcJs, niceGrpc, bare, full];
