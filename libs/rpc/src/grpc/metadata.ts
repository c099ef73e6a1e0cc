import { Metadata as GrpcMetadata } from '@grpc/grpc-js';
import { Metadata } from 'nice-grpc-common';

/** What grpc-js adds to trailers itself; it is nothing that the peer's handler set. */
const OWN_TRAILERS = ['content-type', 'date'];

/** As grpc-js takes it. */
export function toGrpc(metadata: Metadata): GrpcMetadata {
  const result = new GrpcMetadata();
  for (const [key, values] of metadata) {
    for (const value of values) result.add(key, typeof value === 'string' ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength));
  }
  return result;
}

/** As nice-grpc has it. A value that it does not take (a foreign peer's non-ASCII text) is left out. */
export function fromGrpc(metadata: GrpcMetadata): Metadata {
  const result = Metadata();
  for (const [key, values] of Object.entries(metadata.toJSON())) {
    if (OWN_TRAILERS.includes(key)) continue;
    for (const value of values) {
      try {
        result.append(key, value);
      } catch {
        continue;
      }
    }
  }
  return result;
}
