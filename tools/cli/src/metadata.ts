import { Metadata } from '@talaria/rpc';
import { CliError } from './cli-error.ts';

const EXAMPLE = "such as -H 'x-tenant: blue'";

/**
 * Metadata from lines such as `x-tenant: blue`. Keys that end in `-bin` take base64. Throws a `CliError` for what cannot be sent.
 * Keys: lower case letters, digits, `-`, `_` and `.`; values: printable ASCII (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
 */
export function metadataFrom(lines: readonly string[]): Metadata {
  const metadata = Metadata();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const key = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (colon < 1) throw new CliError(`-H takes "key: value", and "${line}" has no colon: write it ${EXAMPLE}.`, 2);
    if (!/^[0-9a-z_.-]+$/.test(key)) throw new CliError(`"${key}" is no key of metadata: letters, digits, "-", "_" and "." are, ${EXAMPLE}.`, 2);
    if (key.startsWith('grpc-')) throw new CliError(`"${key}" is gRPC's own${key === 'grpc-timeout' ? ': use --timeout' : ' and cannot be set'}.`, 2);
    if (key.endsWith('-bin')) {
      const bytes = Buffer.from(value, 'base64');
      if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value)) throw new CliError(`"${key}" ends in -bin, and its value "${value}" is not base64: encode it, such as with "base64 -w0".`, 2);
      metadata.append(key, bytes);
    } else {
      if (!/^[\x20-\x7e]*$/.test(value)) throw new CliError(`The value of "${key}" holds more than printable ASCII: send it under a key that ends in -bin, in base64.`, 2);
      metadata.append(key, value);
    }
  }
  return metadata;
}
