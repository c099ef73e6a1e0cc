import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

/** A server that knows nothing of Talaria: grpc-js, with gRPC's own reflection. */
export interface Foreign {
  /** `127.0.0.1:…` */
  readonly address: string;
  /** Whom it was asked to greet, and the header `x-own` of each call. */
  readonly names: readonly string[];
  readonly headers: readonly string[];
  stop(): Promise<void>;
}

const PROTO = `syntax = "proto3";
package helloworld;
import "words.proto";
service Greeter { rpc SayHello (HelloRequest) returns (words.HelloReply); }
message HelloRequest { string name = 1; }
`;
const WORDS = `syntax = "proto3";
package words;
message HelloReply { string message = 1; }
`;

/** Starts one. */
export async function startForeign(): Promise<Foreign> {
  const folder = mkdtempSync(join(tmpdir(), 'talaria-foreign-'));
  writeFileSync(join(folder, 'helloworld.proto'), PROTO);
  writeFileSync(join(folder, 'words.proto'), WORDS);
  const loaded = loadSync('helloworld.proto', { includeDirs: [folder] });
  rmSync(folder, { recursive: true });
  const [names, headers]: [string[], string[]] = [[], []];
  const server = new Server();
  server.addService(loaded['helloworld.Greeter'] as ServiceDefinition, {
    SayHello({ request, metadata }: ServerUnaryCall<{ name: string }, { message: string }>, answer: sendUnaryData<{ message: string }>) {
      names.push(request.name);
      headers.push(String(metadata.get('x-own')[0]));
      answer(null, { message: `Hello ${request.name}` });
    },
  });
  new ReflectionService(loaded).addToServer(server);
  const port = await new Promise<number>((resolve, reject) => server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))));
  return { address: `127.0.0.1:${port}`, names, headers, stop: async () => server.forceShutdown() };
}
