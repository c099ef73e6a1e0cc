import { Metadata } from 'nice-grpc-common';

/** The same entries in a metadata of its own, so that neither side sees what the other changes. */
export function copyMetadata(metadata: Metadata): Metadata {
  const copy = Metadata();
  for (const [key, values] of metadata) {
    for (const value of values) copy.append(key, typeof value === 'string' ? value : Uint8Array.from(value));
  }
  return copy;
}

/** Whether there is nothing in it. */
export function isEmptyMetadata(metadata: Metadata): boolean {
  return metadata[Symbol.iterator]().next().done === true;
}
