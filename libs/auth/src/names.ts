import { type Metadata, Metadata as newMetadata } from 'nice-grpc-common';

/** The metadata key of the caller's service token. */
export const CALLER_KEY = 'x-talaria-caller';

/** The metadata key of the passport. */
export const PASSPORT_KEY = 'x-talaria-passport';

/** What metadata that is trusted between services begins with. */
export const PRIVATE_PREFIX = 'x-talaria-';

/** The audience of passports and service tokens. */
export const AUDIENCE = 'talaria';

/** The audience of customers' access tokens: good at the edge and nowhere else. */
export const EDGE_AUDIENCE = 'talaria.edge';

/** The issuer of passports and access tokens, and the owner of the keys that sign them. No service may have this name. */
export const TOKEN_ISSUER = 'talaria';

/** Whether a metadata key (or an HTTP header) is trusted between services, and so must not come from outside. */
export function isPrivateKey(key: string): boolean {
  return key.toLowerCase().startsWith(PRIVATE_PREFIX);
}

/** A copy without the private metadata: for the edge, where nothing from outside may pose as ours. */
export function stripPrivateMetadata(metadata: Metadata): Metadata {
  return newMetadata([...metadata].filter(([key]) => !isPrivateKey(key)));
}
