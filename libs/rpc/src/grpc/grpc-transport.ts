import type { Transport } from '../transport.ts';
import { targetOf } from './address.ts';
import { grpcConnection } from './connection.ts';
import { grpcListener } from './listener.ts';

const SCHEME = 'h2c';

/** gRPC over HTTP/2 without TLS, by grpc-js: addresses `h2c://host:port`. */
export function grpcTransport(): Transport {
  return {
    schemes: [SCHEME],
    connect: (address, options = {}) => grpcConnection(address, targetOf(address, SCHEME), options),
    async listen(address, options = {}) {
      const target = targetOf(address, SCHEME);
      if (target === undefined) throw new Error(`The address ${address} is malformed: it has to be ${SCHEME}://host:port, such as ${SCHEME}://127.0.0.1:0`);
      return grpcListener(address, target, options);
    },
  };
}
