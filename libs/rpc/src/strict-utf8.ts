import { configureTextEncoding, getTextEncoding } from '@bufbuild/protobuf/wire';

/**
 * Makes messages that hold invalid UTF-8 malformed, as proto3 asks ("Encoding" in the Protocol Buffers documentation).
 * protobuf-es, on whose reader ts-proto's messages stand, otherwise puts U+FFFD where it does not understand, and a service
 * would store that.
 */
export function refuseInvalidUtf8(): void {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  configureTextEncoding({ ...getTextEncoding(), decodeUtf8: (bytes) => strict.decode(bytes) });
}
