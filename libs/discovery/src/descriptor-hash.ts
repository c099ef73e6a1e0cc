import { createHash } from 'node:crypto';

/** What a descriptor is stored under: its SHA-256, in hex. */
export function descriptorHash(descriptorSet: Uint8Array): string {
  return createHash('sha256').update(descriptorSet).digest('hex');
}
