import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { loadSync, type ServiceDefinition as LoadedService } from '@grpc/proto-loader';

/** The services of the etcd API that this server has. */
export const SERVICES = ['KV', 'Watch', 'Lease', 'Auth', 'Cluster', 'Maintenance'] as const;
/** The name of one of them, without its package. */
export type ServiceName = (typeof SERVICES)[number];

/** How many bytes a request had on the wire, under this key in the decoded request. */
export const WIRE_BYTES = Symbol('wire bytes');

/** The definitions that grpc-js serves, from the .proto files that come with the etcd3 client. */
export function loadProtocol(): Record<ServiceName, ServiceDefinition<UntypedServiceImplementation>> {
  const protoDir = join(dirname(createRequire(import.meta.url).resolve('etcd3/package.json')), 'proto');
  // Without defaults, so that an absent field can be told from an explicitly empty one.
  const loaded = loadSync('rpc.proto', { includeDirs: [protoDir], keepCase: true, longs: String, enums: Number, defaults: false });
  const service = (name: ServiceName): ServiceDefinition => {
    const methods = Object.entries(loaded[`etcdserverpb.${name}`] as LoadedService);
    return Object.fromEntries(
      methods.map(([method, definition]) => [
        method,
        { ...definition, requestDeserialize: (bytes: Buffer) => Object.assign(definition.requestDeserialize(bytes), { [WIRE_BYTES]: bytes.length }) },
      ]),
    );
  };
  return { KV: service('KV'), Watch: service('Watch'), Lease: service('Lease'), Auth: service('Auth'), Cluster: service('Cluster'), Maintenance: service('Maintenance') };
}
